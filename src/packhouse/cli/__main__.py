"""``python -m packhouse.cli``."""

from packhouse.cli import main

if __name__ == "__main__":
    main(prog_name="packhouse")

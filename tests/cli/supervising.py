"""A supervisor and one child, in a process of their own: ``python -m tests.cli.supervising COMMAND...``.

At its end it tells how often it has waited for something.
"""

import sys

from packhouse.cli import supervisor


class Counting(supervisor.Supervisor):
    waits = 0

    def _wait(self) -> bytes:
        self.waits += 1
        return super()._wait()


if __name__ == "__main__":
    supervisor.FIRST_PAUSE = 0.02
    counting = Counting([supervisor.Child("child", sys.argv[1:], essential=True)], notice=0.1, drain=120)
    counting.heed_signals()
    status = counting.run()
    sys.stdout.write(f"waits {counting.waits}\n")
    sys.exit(status)

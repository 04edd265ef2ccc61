"""What installers hit, and the standards, run without Django."""

import subprocess
import sys

import pytest
from tests.house.repository import SOURCE

BLOCK = "import sys; sys.modules.update(dict.fromkeys(('django', 'allauth')))"


def pure_modules():
    files = [*SOURCE.glob("specs/**/*.py"), *SOURCE.glob("dataplane/**/*.py"), SOURCE / "documents" / "store.py"]
    dotted = (".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in sorted(files))
    return [name.removesuffix(".__init__") for name in dotted]


@pytest.mark.parametrize("room", ["specs", "dataplane", "documents"])
def test_the_pure_modules_can_be_imported_without_django(room):
    names = [name for name in pure_modules() if name.split(".")[1] == room]
    code = f"{BLOCK}; [__import__(name) for name in {names}]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""What is installed is complete: the wheel holds all that the source folder holds."""

import subprocess
import sys
import zipfile

import pytest
from tests.house.repository import ROOT, SOURCE, tracked_files


@pytest.mark.slow
def test_the_wheel_holds_every_tracked_file_of_the_package(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        built = {name for name in archive.namelist() if name.startswith("packhouse/")}
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "packhouse = packhouse.cli:main" in archive.read(entry_points).decode()
    tracked = {path.relative_to(SOURCE.parent).as_posix() for path in tracked_files() if SOURCE in path.parents}
    assert tracked - built == set()
    assert not {name for name in built if name.endswith((".pyc", ".db"))}

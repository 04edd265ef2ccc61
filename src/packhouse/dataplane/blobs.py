"""Where the data plane finds the bytes of files."""

from pathlib import Path

from packhouse.dataplane.packages import Blob


class LocalBlobs:
    """Files on this machine's disk, below *root*.  Keys reach here only after a strict match, so they cannot climb."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)

    def stat(self, key: str) -> Blob | None:
        path = Path(f"{self._root}/{key}")
        try:
            return Blob(path.stat().st_size, path)
        except (FileNotFoundError, NotADirectoryError):
            return None

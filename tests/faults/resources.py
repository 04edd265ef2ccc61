"""What the processes of an index hold: open files and memory, which must not grow with what was asked of them (I12)."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.servers.packhouse import Running
from tests.servers.processes import command, descendants

TOLERANCE = 0.05
PATIENCE = 60.0
"""Seconds until what clients have left open is closed, and processes that nobody needs any more have gone."""
SPARE = 2
"""Descriptors or passing processes more or less that say nothing: a log being opened, a client that has just gone."""
THREADS = 4
"""Threads of the pools that had nothing to do before, and have opened their database since."""
OF_A_THREAD = 3
"""Descriptors of a thread that has opened a database of SQLite's: the file, its log, the turn to write."""
MEMORY_FILE = "/memfd:"
"""Large answers in memory: as many as the memory for documents has room for."""
MEMORY = re.compile(rb"^Anonymous:\s+(\d+) kB", re.MULTILINE)
PASSING = ("--on-demand", "specs.archives.child")
"""Processes that come when there is something to do, and go."""


@dataclass(frozen=True, slots=True)
class Held:
    """Descriptors and KiB of the processes that stay, all together; ``passing`` is how many of the others there are."""

    descriptors: int
    memory_files: int | None
    memory: int | None
    passing: int

    @classmethod
    def by(cls, index: Running) -> Self:
        """What *index* holds now, with all processes below its first one."""
        descriptors = memory_files = memory = passing = 0
        for pid in (index.process.pid, *descendants(index.process.pid)):
            if any(part in command(pid) for part in PASSING):
                passing += 1
                continue
            try:
                names = list(_open(pid))
                descriptors += len(names)
                memory_files += sum(name.startswith(MEMORY_FILE) for name in names)
                memory += sum(map(int, MEMORY.findall(Path(f"/proc/{pid}/smaps_rollup").read_bytes())))
            except OSError:  # it has ended meanwhile
                continue
        return cls(descriptors - memory_files, memory_files, memory, passing)

    def of_what_grows(self) -> Self:
        """The same, to compare with where the index holds more afterwards, and may keep more in memory."""
        return replace(self, memory_files=None, memory=None)

    def is_back_at(self, before: "Held") -> bool:
        """Whether it is no more than *before*."""
        return (
            self.descriptors <= before.descriptors * (1 + TOLERANCE) + SPARE + THREADS * OF_A_THREAD
            and self.passing <= before.passing + SPARE
            and (before.memory_files is None or (self.memory_files or 0) <= before.memory_files + SPARE)
            and (before.memory is None or (self.memory or 0) <= before.memory * (1 + TOLERANCE))
        )


def _open(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(descriptor.readlink())

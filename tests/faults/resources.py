"""What the processes of an index hold: open files and memory, which must not grow with what was asked of them (I12)."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.servers.packhouse import Running
from tests.servers.processes import command, descendants

TOLERANCE = 0.05
PATIENCE = 60.0
"""Seconds until what clients have left open is closed, and processes that nobody needs any more have gone."""
SPARE = 2
"""Descriptors more or less that say nothing: a log that is being opened, a client that has just gone."""
MEMORY = re.compile(rb"^Anonymous:\s+(\d+) kB", re.MULTILINE)
PASSING = ("--on-demand", "specs.archives.child")
"""Processes that come when there is something to do, and go."""


@dataclass(frozen=True, slots=True)
class Held:
    """Descriptors and KiB of the processes that stay, all together; ``passing`` is how many of the others there are."""

    descriptors: int
    memory: int | None
    passing: int

    @classmethod
    def by(cls, index: Running) -> Self:
        """What *index* holds now, with all processes below its first one."""
        descriptors = memory = passing = 0
        for pid in (index.process.pid, *descendants(index.process.pid)):
            if any(part in command(pid) for part in PASSING):
                passing += 1
                continue
            try:
                descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
                memory += sum(map(int, MEMORY.findall(Path(f"/proc/{pid}/smaps_rollup").read_bytes())))
            except OSError:  # it has ended meanwhile
                continue
        return cls(descriptors, memory, passing)

    def of_what_grows(self) -> Self:
        """The same, to compare with where the index holds more afterwards, and may keep more in memory."""
        return replace(self, memory=None)

    def is_back_at(self, before: "Held") -> bool:
        """Whether it is no more than *before*."""
        return (
            self.descriptors <= before.descriptors * (1 + TOLERANCE) + SPARE
            and self.passing <= before.passing + SPARE
            and (before.memory is None or (self.memory or 0) <= before.memory * (1 + TOLERANCE))
        )

"""Documents of provenance: one for each file that has some, and one that says that none is served."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from packhouse.attestations.models import Provenance
from packhouse.documents.actions import Item, Shell, drop, put
from packhouse.documents.edition import INTEGRITY_CLOSED, PROVENANCE
from packhouse.documents.models import Document
from packhouse.flags.models import Flag
from packhouse.index.sources import Files

CLOSING_FLAG = "disable-pep740"
NO_SERIAL = -1


def provenance_key(filename: str) -> str:
    return f"{PROVENANCE}{filename}"


@dataclass(frozen=True, slots=True)
class ProvenanceSource(Files):
    """A file's provenance, to the byte as it was verified.  Quarantine does not hide it: it only says more."""

    filename: str
    body: str

    @property
    def key(self) -> str:
        return provenance_key(self.filename)

    def shell(self) -> Shell:
        return Shell(NO_SERIAL, json_head=self.body.encode())

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        return ()


@dataclass(frozen=True, slots=True)
class ClosedSource(Files):
    """Stored while the flag says that no provenance is served."""

    key: str = INTEGRITY_CLOSED

    def shell(self) -> Shell:
        return Shell(NO_SERIAL)

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        return ()


def of_projects(ids: Sequence[int]) -> Iterator[ProvenanceSource]:
    """The documents of all provenance of the projects *ids*, streaming: a large project has thousands."""
    rows = Provenance.objects.filter(file__project_id__in=ids).values_list("file__filename", "body")
    return (ProvenanceSource(filename, body) for filename, body in rows.iterator(chunk_size=100))


def of_files(**chosen: object) -> list[ProvenanceSource]:
    """The documents of some files' provenance."""
    return [ProvenanceSource(*row) for row in Provenance.objects.filter(**chosen).values_list("file__filename", "body")]


def is_settled() -> bool:
    """Whether readers know whether provenance is served: a document says that it is not."""
    return _is_closed() == Document.objects.filter(key=INTEGRITY_CLOSED).exists()


def settle() -> None:
    """See that they know, under the serial lock."""
    if _is_closed():
        put(ClosedSource())
    else:
        drop(INTEGRITY_CLOSED)


def _is_closed() -> bool:
    return Flag.objects.filter(name=CLOSING_FLAG, enabled=True).exists()

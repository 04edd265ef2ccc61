"""What it costs to check an API token, in µs of this process's CPU: ``python bench/tokens.py``."""

import time
import timeit
from dataclasses import dataclass
from uuid import UUID, uuid4

from packhouse.tokens import caveats, macaroons

ROUNDS = 5_000
KEY = bytes(range(32))


@dataclass(frozen=True)
class Project:
    normalized_name: str
    uid: UUID


def main() -> None:
    project, user = Project("sample-project", uuid4()), uuid4()
    context = caveats.Context(now=1_700_000_000.0, user_uid=user, project=project)
    kinds = {
        "user token": [caveats.RequestUser(str(user))],
        "project token": [caveats.ProjectName((project.normalized_name,)), caveats.ProjectID((str(project.uid),))],
    }
    for name, fences in kinds.items():
        texts = [caveats.serialize(fence) for fence in fences]
        text = macaroons.mint(
            location="index.example", identifier=uuid4(), root_key=KEY, caveats=texts, prefix="packhouse"
        )
        presented = macaroons.parse(text, "packhouse")
        print(name)
        report("  read", lambda text=text: macaroons.parse(text, "packhouse"))
        report("  verify signature", lambda presented=presented: macaroons.is_signed_with(presented, [KEY]))
        report("  judge caveats", lambda texts=presented.caveats: caveats.check_all(texts, context))
        report("  all", lambda text=text: check(text, context))


def check(text: str, context: caveats.Context) -> None:
    presented = macaroons.parse(text, "packhouse")
    assert macaroons.is_signed_with(presented, [KEY])
    caveats.check_all(presented.caveats, context)


def report(name: str, work) -> None:
    best = min(timeit.repeat(work, number=ROUNDS // 5, repeat=5, timer=time.process_time)) / (ROUNDS // 5)
    print(f"{name:<20}{best * 1e6:8.1f} µs")


if __name__ == "__main__":
    main()

"""Everything that may happen once happens once, also when many ask at the same time."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from tests.builders import make_wheel
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project
from tests.factories.publishers import FIELDS, make_publisher
from tests.publishers.asking import ask
from tests.publishers.issuer import Issuer
from tests.uploads.publishing import upload

from packhouse.projects.models import Project
from packhouse.publishers.models import MintedToken, PendingPublisher
from packhouse.publishers.pending import add_pending
from packhouse.publishers.providers.provider import Issuer as Known
from packhouse.publishers.wanted import Wanted

pytestmark = pytest.mark.django_db(transaction=True)


def test_jobs_and_people_who_start_one_project_at_once_start_it_once(issuer: Issuer) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    wanted = Wanted(Known("gitlab", issuer.url), FIELDS["gitlab"])
    add_pending(user=ada, project_name="fresh", wanted=wanted)
    token = make_token(bob)[1]
    wheels = [make_wheel(name="fresh", version=f"1.{number}") for number in range(3)]

    def job(_: int) -> str:
        answer = ask(issuer.token()).json()
        return answer["errors"][0]["code"] if "errors" in answer else "minted"

    def person(number: int) -> str:
        return str(upload(wheels[number], token=token, name="fresh", version=f"1.{number}").status_code)

    def run(task: Callable[[int], str], number: int) -> str:
        try:
            return task(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(run, task, number) for number in range(3) for task in (job, person)]
    outcomes = Counter(future.result() for future in running)
    project = Project.objects.get()
    owner = project.roles.get().user
    assert owner in {ada, bob}
    refusals = {"invalid-publisher", "invalid-pending-publisher"} if owner == bob else {"403"}
    accepted = "200" if owner == bob else "minted"
    assert set(outcomes) == {accepted, *(set(outcomes) & refusals)}
    assert outcomes[accepted] == 3
    assert not PendingPublisher.objects.exists()


def test_of_many_who_ask_with_one_identity_token_one_gets_a_token(issuer: Issuer) -> None:
    make_publisher(make_project("demo"), kind="gitlab", issuer=issuer.url)
    identity = issuer.token()

    def attempt(_: int) -> str:
        try:
            answer = ask(identity).json()
        finally:
            connection.close()
        return answer["errors"][0]["code"] if "errors" in answer else "minted"

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(attempt, range(24)))
    assert outcomes == {"minted": 1, "invalid-reuse-token": 23}
    assert MintedToken.objects.count() == 1

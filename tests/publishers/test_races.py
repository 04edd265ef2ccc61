"""Everything that may happen once happens once, also when many ask at the same time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from tests.factories.projects import make_project
from tests.factories.publishers import make_publisher
from tests.publishers.asking import ask
from tests.publishers.issuer import Issuer

from packhouse.publishers.models import MintedToken

pytestmark = pytest.mark.django_db(transaction=True)


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

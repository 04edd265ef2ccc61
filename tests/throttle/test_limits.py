"""Rate limits: exact under concurrency, sliding, never open."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from limits.storage import RedisStorage

from packhouse.throttle import counting, queries
from packhouse.throttle.actions import clear, forget_expired, give_back, hit
from packhouse.throttle.headers import headers
from packhouse.throttle.limit import Limit, Usage, Verdict
from packhouse.throttle.models import Counter

HOUR = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LIMIT = Limit("sample", "20 per hour", scope="user")
DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _own_place() -> Iterator[None]:
    counting.place.cache_clear()
    yield
    counting.place.cache_clear()


def use(limit: Limit, times: int, *key: object) -> int:
    return sum(hit(limit, *key).allowed for _ in range(times))


@pytest.mark.django_db
def test_a_limit_admits_its_number_and_refuses_the_rest(time_machine: Any) -> None:
    time_machine.move_to(HOUR, tick=False)
    verdicts = [hit(LIMIT, "alice") for _ in range(22)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 20 + [False] * 2
    assert [verdict.remaining for verdict in verdicts] == [*range(19, -1, -1), 0, 0]
    assert verdicts[-1].reset_seconds == 3600
    assert use(LIMIT, 1, "bob") == 1


@pytest.mark.django_db
def test_a_clock_that_was_ahead_neither_refreshes_a_limit_nor_shuts_anybody_out_for_longer(time_machine: Any) -> None:
    time_machine.move_to(HOUR + timedelta(days=13), tick=False)
    assert use(LIMIT, 15, "alice") == 15
    time_machine.move_to(HOUR, tick=False)
    assert use(LIMIT, 10, "alice") == 5
    time_machine.move_to(HOUR + timedelta(hours=2), tick=False)
    assert use(LIMIT, 10, "alice") == 10


@pytest.mark.django_db
def test_asking_uses_up_nothing(time_machine: Any) -> None:
    time_machine.move_to(HOUR, tick=False)
    use(LIMIT, 19, "alice")
    assert [queries.test(LIMIT, "alice").remaining for _ in range(3)] == [1, 1, 1]
    assert use(LIMIT, 2, "alice") == 1
    assert not queries.test(LIMIT, "alice").allowed
    clear(LIMIT, "alice")
    assert queries.test(LIMIT, "alice") == Verdict((Usage(admitted=True, remaining=20, reset_seconds=3600),))


@pytest.mark.django_db
def test_the_window_slides_and_refused_hits_do_not_prolong_the_wait(time_machine: Any) -> None:
    time_machine.move_to(HOUR, tick=False)
    assert use(LIMIT, 100, "alice") == 20
    time_machine.move_to(HOUR + timedelta(minutes=61), tick=False)
    assert use(LIMIT, 100, "alice") == 0
    time_machine.move_to(HOUR + timedelta(minutes=90), tick=False)
    assert queries.test(LIMIT, "alice").remaining == 10
    assert use(LIMIT, 100, "alice") == 10
    time_machine.move_to(HOUR + timedelta(hours=3), tick=False)
    assert use(LIMIT, 100, "alice") == 20


@pytest.mark.django_db
def test_several_windows_hold_together(time_machine: Any) -> None:
    limit = Limit("second-factor", "5 per 5 minutes; 7 per hour")
    time_machine.move_to(HOUR, tick=False)
    assert use(limit, 60, "alice") == 5
    time_machine.move_to(HOUR + timedelta(minutes=10), tick=False)
    assert use(limit, 60, "alice") == 2
    refused = hit(limit, "alice")
    assert (refused.allowed, refused.remaining, refused.reset_seconds) == (False, 0, 50 * 60)


@pytest.mark.django_db
def test_keys_are_not_stored_in_clear_and_parts_do_not_run_together() -> None:
    assert use(LIMIT, 20, "a", "bc") == 20
    assert use(LIMIT, 1, "ab", "c") == 1
    hit(LIMIT, "192.0.2.7")
    assert not Counter.objects.filter(key__contains="192.0.2.7").exists()


@pytest.mark.django_db
def test_expired_counters_are_forgotten(time_machine: Any) -> None:
    time_machine.move_to(HOUR, tick=False)
    hit(LIMIT, "alice")
    time_machine.move_to(HOUR + timedelta(hours=1, minutes=59), tick=False)
    assert forget_expired() == 0
    time_machine.move_to(HOUR + timedelta(hours=2, seconds=1), tick=False)
    assert forget_expired() == 1


@pytest.mark.django_db(transaction=True)
def test_a_limit_is_exact_under_concurrent_hits() -> None:
    def worker(_: int) -> int:
        try:
            return use(LIMIT, 10, "alice")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(worker, range(8))) == 20


@pytest.mark.django_db(transaction=True)
def test_a_hit_inside_of_a_transaction_is_an_error_because_it_could_be_rolled_back() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        hit(LIMIT, "alice")


@pytest.mark.django_db
def test_redis_counts_where_the_configuration_names_it(redis_server: str, monkeypatch: Any) -> None:
    configure(monkeypatch, redis_server)
    RedisStorage(redis_server).reset()
    assert use(LIMIT, 30, "alice") == 20
    assert queries.test(LIMIT, "alice").remaining == 0
    assert not Counter.objects.exists()
    clear(LIMIT, "alice")
    assert queries.test(LIMIT, "alice").allowed


@pytest.mark.django_db
def test_without_redis_the_database_counts(monkeypatch: Any) -> None:
    configure(monkeypatch, DEAD_REDIS)
    assert use(LIMIT, 50, "alice") == 20
    assert Counter.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("workers", "admitted"), [(1, 20), (4, 5), (64, 1)])
def test_without_any_backend_each_process_admits_its_share(workers: int, admitted: int, monkeypatch: Any) -> None:
    configure(monkeypatch, DEAD_REDIS, workers=workers)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE throttle_counter")
    assert use(LIMIT, 50, "alice") == admitted


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["database", "redis", "memory"])
def test_a_hit_can_be_given_back(place: str, monkeypatch: Any, request: pytest.FixtureRequest) -> None:
    configure(monkeypatch, request.getfixturevalue("redis_server") if place == "redis" else "database")
    if place == "memory":
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE throttle_counter")
    assert use(LIMIT, 30, "given", place) == 20
    give_back(LIMIT, "given", place)
    assert use(LIMIT, 30, "given", place) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("others", [0, 1])
def test_a_hit_can_be_given_back_when_its_window_has_just_ended(others: int, time_machine: Any) -> None:
    time_machine.move_to(HOUR - timedelta(seconds=1), tick=False)
    assert use(LIMIT, 3, "given late") == 3
    time_machine.move_to(HOUR, tick=False)
    assert use(LIMIT, others, "given late") == others
    for _ in range(3):
        give_back(LIMIT, "given late")
    assert use(LIMIT, 30, "given late") == 20 - others


def configure(monkeypatch: Any, cache: str, workers: int = 1) -> None:
    monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, cache=cache, workers=workers))


def test_a_rate_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError):
        Limit("sample", "often")


def test_the_fields_tell_policy_and_state() -> None:
    search, factor = Limit("search", "5 per second"), Limit("factor", "5 per 5 minutes; 20 per hour", scope="user")
    one, two = Usage(admitted=True, remaining=4, reset_seconds=1), Usage(admitted=True, remaining=19, reset_seconds=60)
    assert headers((search, Verdict((one,))), (factor, Verdict((one, two)))) == {
        "RateLimit-Policy": (
            '"search";q=5;w=1;pk=:ip:, "factor-0";q=5;w=300;pk=:user:, "factor-1";q=20;w=3600;pk=:user:'
        ),
        "RateLimit": '"search";r=4;t=1, "factor-0";r=4;t=1, "factor-1";r=19;t=60',
    }

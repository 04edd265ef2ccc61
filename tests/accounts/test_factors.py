"""Second factors: what lets in, what does not, and that each thing does so once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import connection
from tests.factories.accounts import make_user
from tests.factories.factors import Device, code_of, make_app, make_key

from packhouse.accounts import queries as accounts
from packhouse.accounts.factors import actions, queries, totp, webauthn
from packhouse.accounts.factors.actions import FactorRefused
from packhouse.accounts.factors.models import Key, RecoveryCode
from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.base.errors import TooManyRequests
from packhouse.mail.models import Letter

ORIGIN = "http://localhost:8080"
AT_ONCE = 32

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(two_factor=False)


@pytest.fixture(autouse=True)
def at_localhost(settings) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url=ORIGIN)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packhouse.accounts.limits.second_factor", lambda user: [])


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(FactorRefused) as caught:
        call()
    return caught.value.reason


def asked(session: dict, user: User | None, device: Device) -> str:
    """The challenge of a question that was put to *device*."""
    known = [device.made().credential_data] if user else []
    options = webauthn.ask_to_sign(session, user, known)
    return str(options["publicKey"]["challenge"])


def test_a_code_works_and_the_trail_tells_of_the_app(user: User) -> None:
    secret = make_app(user, by=user)
    assert actions.use_code(user, code_of(secret)) == "totp"
    assert accounts.has_two_factor(user)
    (event,) = Event.objects.filter(tag="two_factor:method_added")
    assert (event.subject_id, event.additional) == (str(user.uid), {"method": "totp", "label": ""})
    assert Authenticator.objects.get().last_used_at is not None


def test_the_secret_is_not_readable_in_the_database(user: User) -> None:
    secret = make_app(user)
    assert secret not in json.dumps(Authenticator.objects.get().data)


@pytest.mark.parametrize("spelling", ["{}", " {} ", "{0[0]} {0[1]}{0[2]}{0[3]}{0[4]}{0[5]}"])
def test_a_code_works_once_however_it_is_spelled(user: User, spelling: str) -> None:
    secret = make_app(user)
    code = code_of(secret)
    actions.use_code(user, code)
    assert refused(lambda: actions.use_code(user, spelling.format(code))) == "invalid_totp"


def test_a_code_of_an_earlier_step_is_refused_after_a_later_one(user: User) -> None:
    secret = make_app(user)
    actions.use_code(user, code_of(secret))
    assert refused(lambda: actions.use_code(user, code_of(secret, steps=-1))) == "invalid_totp"
    assert actions.use_code(user, code_of(secret, steps=1)) == "totp"


def test_a_clock_that_is_put_back_makes_no_used_code_good_again_and_locks_nobody_out(
    user: User, time_machine: Any
) -> None:
    secret = make_app(user)
    time_machine.move_to(actions.clock.now().replace(second=31, microsecond=0), tick=False)
    used = code_of(secret)
    actions.use_code(user, used)
    time_machine.shift(timedelta(seconds=-30))
    assert refused(lambda: actions.use_code(user, used)) == "invalid_totp"
    assert refused(lambda: actions.use_code(user, code_of(secret))) == "invalid_totp"
    time_machine.shift(timedelta(seconds=60))
    assert actions.use_code(user, code_of(secret)) == "totp"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "1234567",
        "+12345",
        "\N{FULLWIDTH DIGIT ONE}" * 6,
        "\N{ARABIC-INDIC DIGIT ONE}" * 6,
        "12\x003456",
        "9" * 10**7,
    ],
    ids=lambda typed: ascii(typed[:16]),
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert totp.matching_step(totp.new_secret(), typed, 0.0) is None


def test_the_code_that_proved_the_app_does_not_let_in(user: User) -> None:
    secret = totp.new_secret()
    code = code_of(secret)
    step = totp.matching_step(secret, code, actions.clock.now().timestamp())
    assert step is not None
    actions.set_up_app(user=user, secret=secret, step=step)
    assert refused(lambda: actions.use_code(user, code)) == "invalid_totp"


def test_another_app_replaces_the_first(user: User) -> None:
    former, secret = make_app(user), make_app(user)
    assert refused(lambda: actions.use_code(user, code_of(former))) == "invalid_totp"
    assert actions.use_code(user, code_of(secret)) == "totp"
    assert list(Event.objects.filter(tag__startswith="two_factor").order_by("pk").values_list("tag", flat=True)) == [
        "two_factor:method_added",
        "two_factor:method_removed",
        "two_factor:method_added",
    ]


def test_a_recovery_code_works_once_and_never_for_another(user: User) -> None:
    make_app(user)
    codes = actions.generate_recovery_codes(user=user, by=user)
    assert len(set(codes)) == 8
    assert refused(lambda: actions.use_code(make_user(), codes[0])) == "invalid_recovery_code"
    assert actions.use_code(user, f" {codes[0][:8]} {codes[0][8:].upper()}") == "recovery-code"
    assert refused(lambda: actions.use_code(user, codes[0])) == "burned_recovery_code"
    assert queries.codes_left(user) == 7
    assert not RecoveryCode.objects.filter(digest__in=codes).exists()


def test_new_recovery_codes_make_the_former_void(user: User) -> None:
    make_app(user)
    former = actions.generate_recovery_codes(user=user)
    actions.generate_recovery_codes(user=user)
    assert refused(lambda: actions.use_code(user, former[0])) == "invalid_recovery_code"
    assert Event.objects.filter(tag="recovery_codes:regenerated").count() == 1


def test_wrong_answers_of_all_kinds_are_limited_together(user: User) -> None:
    secret, device = make_app(user), Device()
    make_key(user, device=device)
    codes = actions.generate_recovery_codes(user=user)
    for number, wrong in enumerate(["000000", "0" * 16, "000001", None, "000002"]):
        assert refused(
            lambda wrong=wrong: actions.use_code(user, wrong) if wrong else actions.use_key(user, None, "{}")
        ), number
    for right in (code_of(secret), codes[0]):
        with pytest.raises(TooManyRequests):
            actions.use_code(user, right)
    assert queries.codes_left(user) == 8


def test_right_answers_use_up_nothing(user: User) -> None:
    codes = iter(actions.generate_recovery_codes(user=user))
    for _number in range(8):
        actions.use_code(user, next(codes))


def test_letters_tell_of_every_change(user: User) -> None:
    make_app(user)
    key = make_key(user, "ring")
    code = actions.generate_recovery_codes(user=user)[0]
    actions.use_code(user, code)
    actions.remove_factor(user=user, factor_id=key.factor_id)
    assert list(Letter.objects.order_by("pk").values_list("name", flat=True)) == [
        "two-factor-added",
        "two-factor-added",
        "recovery-codes-generated",
        "recovery-code-used",
        "two-factor-removed",
    ]
    assert not Letter.objects.filter(text__contains=code).exists()


def test_a_key_lets_in(user: User) -> None:
    device, session = Device(), {}
    make_key(user, "ring", device=device, by=user)
    answer = device.answer(asked(session, user, device), ORIGIN, verified=False)
    key = actions.use_key(user, webauthn.taken_challenge(session, user), answer)
    assert (key.factor.data["name"], Key.objects.get().sign_count) == ("ring", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://localhost:8081"},
        {"origin": "https://localhost:8080"},
        {"origin": "http://localhost.evil.example:8080"},
        {"challenge": "c29tZXRoaW5nIGVsc2UgdGhhdCBpcyBsb25n"},
        {"kind": "webauthn.create"},
        {"counter": 0},
        {"counter": 5},
    ],
    ids=lambda change: "-".join(map(str, change.items())),
)
def test_a_key_with_a_wrong_answer_does_not_let_in(user: User, change: dict) -> None:
    device, session = Device(), {}
    make_key(user, device=device)
    Key.objects.update(sign_count=5)
    right = {"challenge": asked(session, user, device), "origin": ORIGIN, "counter": 6}
    state = webauthn.taken_challenge(session, user)
    assert refused(lambda: actions.use_key(user, state, device.answer(**right | change))) == "invalid_webauthn"
    assert Key.objects.get().sign_count == 5


def test_a_key_of_another_site_does_not_let_in(user: User) -> None:
    device, session = Device(), {}
    make_key(user, device=device)
    challenge = asked(session, user, device)
    device.party = "evil.example"
    state = webauthn.taken_challenge(session, user)
    assert refused(lambda: actions.use_key(user, state, device.answer(challenge, ORIGIN)))


def test_the_key_of_another_user_does_not_let_in(user: User) -> None:
    mine, other = Device(), Device()
    make_key(user, device=mine)
    make_key(make_user(), device=other)
    session: dict = {}
    challenge = asked(session, user, mine)
    state = webauthn.taken_challenge(session, user)
    assert refused(lambda: actions.use_key(user, state, other.answer(challenge, ORIGIN)))


def test_a_challenge_is_gone_after_the_first_answer(user: User) -> None:
    device, session = Device(), {}
    make_key(user, device=device)
    asked(session, user, device)
    assert webauthn.taken_challenge(session, make_user()) is None  # asked of another: gone as well
    assert webauthn.taken_challenge(session, user) is None


def test_a_passkey_must_verify_its_user(user: User) -> None:
    device, session = Device(), {}
    make_key(user, device=device, is_passkey=True)
    challenge = asked(session, None, device)
    state = webauthn.taken_challenge(session, None)
    assert refused(lambda: actions.use_key(user, state, device.answer(challenge, ORIGIN, verified=False)))
    assert actions.use_key(user, state, device.answer(challenge, ORIGIN))


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", "x" * 100_000, '{"rawId": 1}', '{"id":"x","rawId":"!"}'])
def test_an_answer_of_any_shape_is_refused_in_order(user: User, answer: str) -> None:
    make_key(user)
    assert refused(lambda: actions.use_key(user, {"challenge": "x", "user_verification": None}, answer))
    assert refused(lambda: actions.key_of_answer(answer)) == "invalid_webauthn"


def test_a_credential_belongs_to_one_user_and_a_name_to_one_key(user: User) -> None:
    device = Device()
    make_key(user, "ring", device=device)
    with pytest.raises(ValidationError, match="registered already"):
        make_key(make_user(), device=device)
    with pytest.raises(ValidationError, match="of this name"):
        make_key(user, " ring ")
    for label in (" ", "x" * 65):
        with pytest.raises(ValidationError):
            make_key(user, label)


def test_the_last_factor_stays_unless_nobody_needs_one(user: User, settings) -> None:
    make_app(user)
    key = make_key(user, "ring")
    actions.generate_recovery_codes(user=user)
    actions.remove_factor(user=user, factor_id=key.factor_id, by=user)
    (app,) = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    with pytest.raises(ValidationError, match="another second factor first"):
        actions.remove_factor(user=user, factor_id=app.pk)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, require_two_factor="nobody")
    actions.remove_factor(user=user, factor_id=app.pk)
    assert not Authenticator.objects.filter(user=user).exists()
    assert not RecoveryCode.objects.exists()


def test_nobody_touches_the_factors_of_another(user: User) -> None:
    key = make_key(make_user(), "ring")
    for call in (actions.remove_factor, lambda **ids: actions.rename_key(label="mine", **ids)):
        with pytest.raises(Authenticator.DoesNotExist):
            call(user=user, factor_id=key.factor_id)


@pytest.fixture
def crowd(transactional_db: None, unlimited: None) -> Iterator[Callable[[Callable[[], object]], list[object]]]:
    """``crowd(call)`` makes the call from 32 threads at once and returns what those got that were not refused."""

    def one(call: Callable[[], object]) -> object:
        try:
            return call()
        except FactorRefused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield lambda call: [got for got in pool.map(one, [call] * AT_ONCE) if got is not None]


def test_of_many_uses_of_one_code_at_once_one_succeeds(crowd) -> None:
    user = make_user(two_factor=False)
    code = code_of(make_app(user))
    assert crowd(lambda: actions.use_code(user, code)) == ["totp"]


def test_of_many_uses_of_one_recovery_code_at_once_one_succeeds(crowd) -> None:
    user = make_user()
    code = actions.generate_recovery_codes(user=user)[0]
    assert crowd(lambda: actions.use_code(user, code)) == ["recovery-code"]
    assert queries.codes_left(user) == 7


@pytest.mark.parametrize("counter", [0, 7])
def test_of_many_uses_of_one_answer_at_once_one_succeeds(crowd, counter: int) -> None:
    user, device, session = make_user(two_factor=False), Device(), {}
    make_key(user, device=device)
    answer = device.answer(asked(session, user, device), ORIGIN, counter=counter)
    state = webauthn.taken_challenge(session, user)
    assert len(crowd(lambda: actions.use_key(user, state, answer))) == 1

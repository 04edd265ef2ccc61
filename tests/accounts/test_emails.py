"""The letters about accounts, and what becomes of an address that they do not reach."""

import inspect
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from tests.factories.accounts import make_user

from packhouse.accounts import actions, emails
from packhouse.accounts.models import AddressState, User
from packhouse.audit.models import Event
from packhouse.base.facts import announce
from packhouse.base.identity import RequestFacts, current_request
from packhouse.mail import facts
from packhouse.mail.models import Letter

pytestmark = pytest.mark.django_db
Reason = AddressState.UnverifyReason

EXAMPLES: dict[str, Any] = {
    "address": "ada@users.example",
    "old": "ada@users.example",
    "new": "ada@elsewhere.example",
    "url": "/account/somewhere/?token=abc",
    "undo_url": "/account/undo/?token=abc",
    "hours": 6,
    "days": 14,
    "left": 7,
    "method": "security key “blue”",
    "description": "laptop",
    "works_for": ["sample", "acme-*"],
    "source": "a scanner",
    "place": "https://code.example/leak",
    "service": "GitHub",
    "handle": "ada",
}
LETTERS = [
    function
    for name, function in vars(emails).items()
    if inspect.isfunction(function) and "cause" in inspect.signature(function).parameters and name != "write"
    if function.__module__ == emails.__name__
]


@pytest.fixture
def ada() -> User:
    user = make_user("ada")
    EmailAddress.objects.create(user=user, email="ada@second.example", verified=True)
    EmailAddress.objects.create(user=user, email="ada@third.example", verified=False)
    return user


def sent() -> set[tuple[str, str]]:
    return set(Letter.objects.values_list("name", "to"))


@pytest.mark.parametrize("language", ["en", "de", "he"])
@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.__name__)
def test_every_letter_says_whose_account_it_is_and_why_it_came(ada, letter, language):
    ada.language = language
    wanted = {name: EXAMPLES[name] for name in inspect.signature(letter).parameters if name in EXAMPLES}
    letter(ada, **wanted, cause="1")
    letter(ada, **wanted, cause="1")
    written = list(Letter.objects.all())
    assert written
    assert len({one.to for one in written}) == len(written)
    for one in written:
        assert (one.user_id, one.language) == (ada.pk, language)
        assert one.subject.startswith("[Packhouse] ")
        assert "%(" not in one.text + one.html + one.subject
        # whoever owns an address that was never verified need not learn whose account somebody put it into
        assert ("ada" in one.text) == (one.name != "password-reset-unverified")
        for url in ("url", "undo_url"):
            if url in wanted:
                assert f"http://127.0.0.1:8080{wanted[url]}" in one.text
                assert one.is_secret


def test_changes_of_addresses_are_told_to_the_old_and_the_new_one(ada):
    emails.primary_email_changed(ada, old="ada@users.example", new="ada@new.example", cause="1")
    assert sent() == {("primary-email-change", "ada@users.example"), ("primary-email-change", "ada@new.example")}


def test_a_new_address_is_told_to_all_verified_others(ada):
    emails.new_email_added(ada, "ada@Third.example", cause="1")
    assert {to for _, to in sent()} == {"ada@users.example", "ada@second.example"}


def test_a_removed_address_hears_of_it_though_it_is_no_longer_the_users(ada):
    EmailAddress.objects.filter(email="ada@second.example").delete()
    emails.email_removed(ada, "ada@second.example", cause="1")
    assert {to for _, to in sent()} == {"ada@users.example", "ada@second.example"}


def test_an_unverified_address_gets_what_verifies_it_and_no_link_that_lets_anybody_in(ada):
    EmailAddress.objects.update(verified=False)
    emails.password_reset(ada, "ada@users.example", url="/r", hours=6, cause="1")
    emails.password_changed(ada, cause="1")
    emails.verify_email(ada, "ada@users.example", url="/v", hours=24, cause="1")
    emails.password_reset_unverified(ada, "ada@users.example", cause="1")
    assert {name for name, _ in sent()} == {"verify-email", "password-reset-unverified"}


def test_a_letter_says_from_where_it_was_done(ada):
    token = current_request.set(RequestFacts(address="192.0.2.7", user_agent="Mozilla/5.0 Firefox/140.0"))
    try:
        emails.password_changed(ada, cause="1")
    finally:
        current_request.reset(token)
    assert "From address: 192.0.2.7" in Letter.objects.get().text


def test_changes_of_second_factors_and_tokens_are_told(ada):
    from tests.factories.factors import make_app

    from packhouse.accounts.factors import actions as factors
    from packhouse.tokens import actions as tokens

    make_app(ada, by=ada)  # in place of the one she had
    factors.generate_recovery_codes(user=ada, by=ada)
    token, _ = tokens.create_token(user=ada, description="laptop", by=ada)
    tokens.delete_token(owner=ada, token_id=token.pk, by=ada)
    told = {name for name, _ in sent()}
    of_tokens = {"api-token-added", "api-token-removed"}
    assert told == {"two-factor-removed", "two-factor-added", "recovery-codes-generated"} | of_tokens
    assert "Added: " in Letter.objects.get(name="two-factor-added").text
    assert "Works for: the whole account" in Letter.objects.get(name="api-token-added").text


def news(kind: type[facts.LetterFact], user: User, *more: Any, to: str = "ADA@users.example") -> None:
    with transaction.atomic():
        announce(kind(1, "password-change", to, user.pk, *more))


def is_verified(address: str = "ada@users.example") -> bool:
    return EmailAddress.objects.get(email=address).verified


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [(facts.LetterBounced, (True,), Reason.HARD_BOUNCE), (facts.LetterComplained, (), Reason.SPAM_COMPLAINT)],
)
def test_a_hard_bounce_or_a_complaint_unverifies_the_address_once(ada, kind, more, reason):
    news(kind, ada, *more)
    news(kind, ada, *more)
    assert not is_verified()
    assert is_verified("ada@second.example")
    assert AddressState.objects.get().unverify_reason == reason
    event = Event.objects.get(tag="email:unverified")
    assert event.additional == {"email": "ada@users.example", "reason": reason}
    emails.account_frozen(ada, cause="1")
    assert sent() == set()
    emails.verify_email(ada, "ada@users.example", url="/v", hours=24, cause="1")
    assert sent() == {("verify-email", "ada@users.example")}
    actions.note_verified(EmailAddress.objects.get(email="ada@users.example"))
    emails.account_frozen(ada, cause="1")
    assert len(sent()) == 2


def test_the_sixth_letter_in_a_row_that_comes_back_for_now_unverifies_the_address(ada):
    for _ in range(5):
        news(facts.LetterBounced, ada, False)
    assert is_verified()
    news(facts.LetterDelivered, ada)
    for _ in range(5):
        news(facts.LetterBounced, ada, False)
    assert is_verified()
    news(facts.LetterBounced, ada, False)
    assert not is_verified()
    assert AddressState.objects.get().unverify_reason == Reason.SOFT_BOUNCE


def test_letters_to_somebody_elses_address_change_nothing(ada):
    news(facts.LetterBounced, make_user("eve"), True)
    assert is_verified()

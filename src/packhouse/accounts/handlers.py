"""What accounts do when something has become of a letter; in the writer's transaction."""

from allauth.account.models import EmailAddress

from packhouse.accounts import actions
from packhouse.accounts.models import AddressState, User
from packhouse.audit import actions as audit
from packhouse.base.statements import Question, written_together
from packhouse.mail import facts


def letters_sent(fact: facts.LettersSent) -> None:
    """That a letter has left belongs to the security history, without its text."""
    numbers = {letter.user_id for letter in fact.letters if letter.user_id is not None}
    users = {number: _USER.object(User, number) for number in numbers}
    events = [
        audit.drafted(
            "email:sent",
            subject=actions.subject(user),
            additional={"to": fact.to, "subject": letter.subject, "letter": letter.name},
        )
        for letter in fact.letters
        if letter.user_id is not None and (user := users[letter.user_id])
    ]
    written_together(*((audit.NEW_EVENT, event) for event in events))


_USER = Question(lambda key: User.objects.filter(pk=key), int)


def letter_delivered(fact: facts.LetterDelivered) -> None:
    if address := _address(fact):
        actions.forgive_bounces(address)


def letter_bounced(fact: facts.LetterBounced) -> None:
    address = _address(fact)
    if address and fact.is_permanent:
        actions.unverify_address(address, reason=AddressState.UnverifyReason.HARD_BOUNCE)
    elif address:
        actions.count_transient_bounce(address)


def letter_complained(fact: facts.LetterComplained) -> None:
    if address := _address(fact):
        actions.unverify_address(address, reason=AddressState.UnverifyReason.SPAM_COMPLAINT)


def _address(fact: facts.LetterFact) -> EmailAddress | None:
    """The address that the letter went to, if it is still that user's."""
    if fact.user_id is None:
        return None
    found: EmailAddress | None = (
        EmailAddress.objects.select_related("user").filter(user_id=fact.user_id, email__iexact=fact.to).first()
    )
    return found

"""Questions about letters."""

from django.db.models import Count

from packhouse.mail.models import Letter, LetterQuerySet


def letters(*, state: str = "", to: str = "") -> LetterQuerySet:
    """Letters, the newest first, without their texts: all, those in one *state*, those to one address."""
    found = Letter.objects.defer("text", "html").order_by("-pk")
    if state:
        found = found.filter(state=state)
    return found.filter(to__iexact=to) if to else found


def counts() -> dict[str, int]:
    """How many letters are in each state; states without any are there, with 0."""
    found = dict(Letter.objects.values_list("state").annotate(Count("pk")))
    return {state.value: found.get(state.value, 0) for state in Letter.State}

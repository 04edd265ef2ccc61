"""Which publisher the claims of an identity token are those of."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from django.db import transaction

from packhouse.publishers import emails
from packhouse.publishers.issuers import provider_of
from packhouse.publishers.models import PendingPublisher, Publisher
from packhouse.publishers.providers.provider import Claims, ClaimsRefused, Issuer, address
from packhouse.publishers.verification import MintRefused

Kind = TypeVar("Kind", Publisher, PendingPublisher)
NOBODY: Final = "publisher with matching claims was not found"


class TakenOver(MintRefused):
    """Somebody else has the names of a publisher."""


class _OtherPin(ClaimsRefused):
    """The names are known, with another number."""


def publisher_of(issuer: Issuer, claims: Claims) -> Publisher:
    """The publisher, locked, with its pin set from now on.  Raises ``MintRefused``."""
    try:
        return _settled(_found(Publisher, issuer, claims), provider_of(issuer).pin(claims))
    except _OtherPin as refused:
        raise TakenOver("invalid-publisher", f"valid token, but no corresponding publisher ({refused})") from None
    except ClaimsRefused as refused:
        raise MintRefused("invalid-publisher", f"valid token, but no corresponding publisher ({refused})") from None


def pending_of(issuer: Issuer, claims: Claims) -> PendingPublisher | None:
    """The pending publisher, locked, if there is one."""
    try:
        return _found(PendingPublisher, issuer, claims)
    except ClaimsRefused:
        return None


def _found(model: type[Kind], issuer: Issuer, claims: Claims) -> Kind:
    """The most particular one whose every claim is right.  Raises ``ClaimsRefused``."""
    provider = provider_of(issuer)
    addresses = [address(provider, issuer, fields) for fields in provider.candidates(claims)]
    pin = provider.pin(claims)
    objects: Any = model.objects
    alike: Sequence[Kind] = list(objects.select_for_update().filter(address__in=addresses))
    found = sorted(
        (one for one in alike if one.pinned in {pin, ""}),
        key=lambda one: (addresses.index(one.address), one.pinned == ""),
    )
    if not found:
        raise _OtherPin(_taken_over(issuer)) if alike else ClaimsRefused(NOBODY)
    provider.check(claims, found[0].fields, issuer)
    return found[0]


def _taken_over(issuer: Issuer) -> str:
    thing = {"github": "owner", "gitlab": "project"}.get(issuer.kind, "actor")
    return f"the {thing} is not the one that was trusted, although its name is the same"


def tell_of_other_owners(issuer: Issuer, claims: Claims) -> None:
    """Tell the owners of projects whose publisher's names somebody else has now."""
    provider = provider_of(issuer)
    addresses = [address(provider, issuer, fields) for fields in provider.candidates(claims)]
    with transaction.atomic():
        for publisher in Publisher.objects.filter(address__in=addresses).order_by("pk"):
            for project in publisher.projects.order_by("pk"):
                emails.name_taken_over(project, publisher, pin=provider.pin(claims))


def _settled(publisher: Publisher, pin: str) -> Publisher:
    """The publisher with its *pin*, and with the projects of the same one that was added without."""
    if publisher.pinned != pin:
        publisher.pinned = pin
        publisher.save(update_fields=["pinned"])
    elif pin:
        for loose in Publisher.objects.select_for_update().filter(address=publisher.address, pinned=""):
            merge(loose, into=publisher)
    return publisher


def merge(publisher: Publisher, *, into: Publisher) -> None:
    """Give the projects of *publisher* to another one that is the same."""
    theirs = list(into.links.values_list("project_id", flat=True))
    publisher.links.exclude(project_id__in=theirs).update(publisher=into)
    publisher.delete()

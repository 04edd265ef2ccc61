"""Making, deleting and noting the use of tokens."""

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from packhouse.accounts import emails
from packhouse.accounts import queries as accounts
from packhouse.accounts.actions import subject as user_subject
from packhouse.accounts.models import User
from packhouse.audit import actions as audit
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.identity import Identity, TokenGrant
from packhouse.base.sqlite import pragmas
from packhouse.projects.models import Project
from packhouse.tokens import caveats, keys, macaroons, rules
from packhouse.tokens.models import Token

USE_RESOLUTION = timedelta(minutes=1)
"""How exactly the last use of a token is known."""
CLOCKS_DIFFER = timedelta(days=2)
"""By how much clocks may differ, or be put back, before a new token is refused as one of the future."""


def create_token(
    *,
    user: User,
    description: str,
    projects: Sequence[Project] = (),
    patterns: Sequence[str] = (),
    grants: Collection[str] = rules.USUAL,
    addresses: Sequence[str] = (),
    expires: datetime | None = None,
    within: TokenGrant | None = None,
    by_operator: bool = False,
    by: audit.Actor = None,
) -> tuple[Token, str]:
    """Make a token of *user* and return it with its text, which is shown once and cannot be had again.

    Without *projects* and *patterns* the token speaks for the user everywhere; with *projects* for those alone, under
    their present name and id; with *patterns* for those whose normalized name matches one of them.  *grants* is what
    it is for (of ``caveats.GRANTS``), *addresses* the networks (CIDR) that it may be used from.  *within* is the token
    that asks for the new one: whatever restricts it restricts the new one as well.

    Raises ``ValidationError`` for a description that is empty, too long, or used by another of the user's tokens, and
    for restrictions that cannot be.
    """
    fences = _inherited(within) + _fences(user, projects, patterns, expires)
    fences += _narrowed(grants, addresses)
    token = Token(
        user=user,
        description=description.strip(),
        caveats=[fence.fields() for fence in fences],
        by_operator=by_operator,
        with_two_factor=accounts.has_two_factor(user),
    )
    with transaction.atomic():
        if Token.objects.filter(user=user, description=token.description).exists():
            raise ValidationError({"description": _("You have a token that is called so already.")})
        token.full_clean()
        token.save(force_insert=True)
        event = _record("api_token:added", token, projects, by=by)
        works_for = [*(project.name for project in projects), *patterns]
        emails.api_token_added(user, description=token.description, works_for=works_for, cause=str(event.pk))
    return token, text_of(token.pk, bytes(token.salt), fences)


def delete_token(*, owner: User, token_id: UUID, by: audit.Actor = None, reason: str = "") -> None:
    """Delete a token of *owner*, who is told unless there is a *reason*: that is told by whoever has it.

    Raises ``Token.DoesNotExist`` for any other, whoever owns it.
    """
    with transaction.atomic():
        token = Token.objects.select_for_update().get(pk=token_id, user=owner)
        projects = Project.objects.filter(uid__in=_project_ids(token))
        event = _record("api_token:removed", token, projects, by=by, reason=reason)
        if not reason:
            emails.api_token_removed(owner, description=token.description, cause=str(event.pk))
        token.delete()


def _inherited(within: TokenGrant | None) -> list[caveats.Caveat]:
    return [caveats.parse(text) for text in within.caveats] if within else []


def _narrowed(grants: Collection[str], addresses: Sequence[str]) -> list[caveats.Caveat]:
    fences: list[caveats.Caveat] = []
    if not grants or not set(grants) <= set(caveats.GRANTS):
        raise ValidationError({"grants": _("Choose at least one of: %s.") % ", ".join(caveats.GRANTS)})
    if frozenset(grants) != rules.USUAL:
        fences.append(caveats.Permissions(tuple(grant for grant in caveats.GRANTS if grant in grants)))
    if wrong := [address for address in addresses if not caveats.is_network(address)]:
        raise ValidationError({"addresses": _("“%s” is not a network in CIDR form.") % wrong[0]})
    if addresses:
        fences.append(caveats.AddressRange(tuple(addresses)))
    return fences


def _fences(
    user: User, projects: Sequence[Project], patterns: Sequence[str], expires: datetime | None
) -> list[caveats.Caveat]:
    fences: list[caveats.Caveat] = []
    if wrong := [pattern for pattern in patterns if not caveats.is_pattern(pattern)]:
        raise ValidationError({"patterns": _("“%s” is not a pattern of project names.") % wrong[0]})
    if projects:
        fences += [
            caveats.ProjectName(tuple(project.normalized_name for project in projects)),
            caveats.ProjectID(tuple(str(project.uid) for project in projects)),
        ]
    else:
        fences.append(caveats.RequestUser(str(user.uid)))
    if patterns:
        fences.append(caveats.ProjectPattern(tuple(patterns)))
    if expires is not None:
        now = clock.now()
        if expires <= now:
            raise ValidationError({"expires": _("The token would be expired already.")})
        not_before = int((now - CLOCKS_DIFFER).timestamp())
        fences.append(caveats.Expiration(int(expires.timestamp()), not_before))
    return fences


def text_of(identifier: UUID, salt: bytes, fences: Iterable[caveats.Caveat]) -> str:
    """The text of a token, whose row has that *salt*."""
    return macaroons.mint(
        location=urlsplit(settings.PACKHOUSE.public_url).hostname or "",
        identifier=identifier,
        root_key=keys.root_keys(salt)[0],
        caveats=map(caveats.serialize, fences),
        prefix=settings.PACKHOUSE.token_prefix,
    )


def _record(tag: str, token: Token, projects: Iterable[Project], *, by: audit.Actor, reason: str = "") -> Event:
    """Write the event on the user, with the caveats, which is returned, and on each project of the token without."""
    told = {"description": token.description, "by_operator": token.by_operator} | ({"reason": reason} if reason else {})
    event = audit.record(
        tag,
        subject=user_subject(token.user),
        by=by,
        additional=told | {"macaroon_id": str(token.pk), "caveats": token.caveats},
    )
    for project in projects:
        about = audit.Subject("project", str(project.uid), project.name)
        audit.record(tag, subject=about, by=by, additional=told | {"user": token.user.username})
    return event


def _project_ids(token: Token) -> list[str]:
    return [uid for tag, *fields in token.caveats if tag == 2 for uid in fields[0]]


class UseNotes:
    """The uses of tokens that this process has yet to write down, one for each token.

    Noting a use takes no database and no lock worth the name; ``write`` runs once the answer is on its way to the
    client, outside of any upload's transaction.  A crash loses the notes of its last moments, which only decorate.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[UUID, tuple[datetime, str]] = {}

    def add(self, token_id: UUID, at: datetime, address: str) -> None:
        with self._lock:
            self._notes[token_id] = (at, address)

    def write(self) -> None:
        """Write the notes that can be written at once; keep the others for the next time."""
        if not self._notes:
            return
        with self._lock:
            notes, self._notes = self._notes, {}
        for token_id, (at, address) in notes.items():
            if not _write_use(token_id, at, address):
                with self._lock:
                    self._notes.setdefault(token_id, (at, address))


_notes = UseNotes()
write_uses = _notes.write


def touch(identity: Identity, address: str = "") -> None:
    """Note that the identity's token was used from *address*; at most once per minute and token, never waiting."""
    grant, now = identity.token, clock.now()
    if (
        grant is not None
        and identity.kind == "user"
        and (grant.last_used is None or now - grant.last_used >= USE_RESOLUTION)
    ):
        _notes.add(grant.id, now, address)


def _write_use(token_id: UUID, at: datetime, address: str) -> bool:
    """Whether the use is settled: written, or told already by somebody else, or its token gone."""
    free = Token.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    stale = Q(last_used__isnull=True) | Q(last_used__lte=at - USE_RESOLUTION)
    try:
        with pragmas(busy_timeout=0), transaction.atomic():
            Token.objects.filter(stale, pk__in=free.filter(pk=token_id).values("pk")).update(
                last_used=at, last_used_address=address
            )
    except (DatabaseError, InterfaceError):
        return False
    return True

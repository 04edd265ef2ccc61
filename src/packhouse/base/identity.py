"""Who a request speaks for, and where it comes from: plain values that every room may hold."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Credential = Literal["none", "session", "token", "publisher-token"]


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """The API token that a request presented, its signature already verified.

    ``caveats`` are the texts that restrict it: those in the presented token, then those stored with it.  They are not
    yet judged: that needs a permission and a project (``packhouse.tokens.rules.check``).
    ``by_operator`` says that the operator's own command line made it, which stands in for a second factor.
    ``grants`` is what it was made for, before any caveat: ``upload``, ``yank``, ``manage``, ``read``.
    """

    id: UUID
    description: str
    caveats: tuple[str, ...]
    by_operator: bool = False
    last_used: datetime | None = None
    grants: frozenset[str] = frozenset({"upload"})


@dataclass(frozen=True, slots=True)
class AttestationIdentity:
    """Whom attestations of a publisher have to name (PEP 740): a workflow of a repository, or an e-mail address.

    ``kind`` is the publisher's in the spelling of provenance objects: ``GitHub``, ``GitLab`` or ``Google``.
    """

    kind: str
    issuer: str
    repository: str = ""
    workflow: str = ""
    environment: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Publisher:
    """The trusted publisher that a token was minted for.

    ``words`` name it to people, ``source`` is the address below which everything is its own (empty: nowhere), and
    ``claims`` are those of its identity token that were kept, like ``ref`` and ``sha``.
    """

    id: UUID
    kind: str
    words: str
    source: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    attestation_identity: AttestationIdentity | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever a request speaks for, as of the moment it was asked.

    ``two_factor`` says whether the user has a second factor (or holds an operator's token), ``verified_email`` whether
    the user's primary address is verified.  ``publisher`` is there where ``kind`` says so.
    """

    kind: Literal["anonymous", "user", "publisher"] = "anonymous"
    user_id: int | None = None
    user_uid: UUID | None = None
    username: str = ""
    credential: Credential = "none"
    token: TokenGrant | None = None
    two_factor: bool = False
    verified_email: bool = False
    publisher: Publisher | None = None

    @property
    def name(self) -> str:
        """Who it is, for people: the user's name, or the publisher in words."""
        return self.publisher.words if self.publisher else self.username

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"


ANONYMOUS = Identity()


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Where a request comes from, for the audit trail.  ``address`` is the client's, behind trusted proxies."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


NO_REQUEST = RequestFacts()
current_request: ContextVar[RequestFacts] = ContextVar("current_request", default=NO_REQUEST)
"""The request being answered; set by the control plane's middleware, empty in commands and tasks."""

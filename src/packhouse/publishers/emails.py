"""The letters about trusted publishers.

One function for each event, to be called in its transaction; *cause* is the id of its audit event.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from packhouse.accounts.emails import NOTICE, SECURITY, about_your_account, write
from packhouse.accounts.models import User
from packhouse.mail.draft import Button, Draft
from packhouse.projects.emails import collaborators
from packhouse.projects.models import Project, Role
from packhouse.projects.queries import role_of
from packhouse.publishers.models import PendingPublisher, Publisher, Trusted
from packhouse.publishers.queries import words_of
from packhouse.tokens.models import Token

PENDING = "/manage/account/publishing/"
Facts = list[tuple[str, str]]


def publisher_added(project: Project, publisher: Publisher, *, by: User, cause: int) -> None:
    """``trusted-publisher-added`` to the collaborators."""

    def subject() -> str:
        return _("%(project)s trusts a new publisher") % {"project": project.name}

    def says() -> str:
        return _("Its jobs can publish files of the project from now on, without a token of anybody.")

    _tell("trusted-publisher-added", collaborators(project), project, publisher, subject, says, by=by, cause=str(cause))


def publisher_removed(project: Project, publisher: Publisher, *, by: User, cause: int) -> None:
    """``trusted-publisher-removed`` to the collaborators."""

    def subject() -> str:
        return _("%(project)s no longer trusts a publisher") % {"project": project.name}

    def says() -> str:
        return _("Its jobs can no longer publish files of the project.")

    everybody = collaborators(project)
    _tell("trusted-publisher-removed", everybody, project, publisher, subject, says, by=by, cause=str(cause))


def environment_ignored(project: Project, publisher: Publisher, *, environment: str) -> None:
    """``environment-ignored-in-trusted-publisher`` to the owners, once for each publisher and environment."""

    def subject() -> str:
        return _("%(project)s is published from an environment that it does not ask for") % {"project": project.name}

    def says() -> str:
        return _(
            "A job in the environment “%(environment)s” has published, but every job of the workflow may. Trust jobs in"
            " this environment alone, if that is where you decide who may publish."
        ) % {"environment": environment}

    path = f"{settings_of(project)}{publisher.pk}/environment/?{urlencode({'environment': environment})}"
    cause = f"{publisher.pk}:{environment}"
    name = "environment-ignored-in-trusted-publisher"
    _tell(name, _owners(project), project, publisher, subject, says, cause=cause, path=path)


def token_used(project: Project, token: Token) -> None:
    """``api-token-used-in-trusted-publisher-project`` to the collaborators, once for each token and project."""
    for reader in collaborators(project):

        def draft(reader: User = reader) -> Draft:
            return Draft(
                subject=_("An API token is still used to publish %(project)s") % {"project": project.name},
                says=[
                    _(
                        "The project trusts a publisher, and yet files of it are published with a token, which could"
                        " leak. If the publisher has taken its place, delete the token."
                    )
                ],
                facts=[
                    (_("Project"), project.name),
                    (_("Token"), token.description),
                    (_("User"), token.user.username),
                ],
                button=Button(_("Look at the trusted publishers"), settings_of(project)),
                because=about_your_account(reader),
            )

        name = "api-token-used-in-trusted-publisher-project"
        write(reader, name, draft, cause=f"{token.pk}:{project.pk}", kind=NOTICE)


def name_taken_over(project: Project, publisher: Publisher, *, pin: str) -> None:
    """``trusted-publisher-taken-over`` to the owners, once for each who tries."""

    def subject() -> str:
        return _("Somebody else has the name of a publisher that %(project)s trusts") % {"project": project.name}

    def says() -> str:
        return _(
            "A job under this name was refused, because the account or project behind it is not the one that was"
            " trusted. If it is yours all the same, remove the publisher and add it anew; otherwise remove it."
        )

    cause = f"{publisher.pk}:{project.pk}:{pin}"
    _tell("trusted-publisher-taken-over", _owners(project), project, publisher, subject, says, cause=cause)


def pending_reified(user: User, project: Project, publisher: Publisher, *, cause: int) -> None:
    """``pending-trusted-publisher-reified`` to whoever added it."""

    def subject() -> str:
        return _("Your trusted publisher has started the project %(project)s") % {"project": project.name}

    def says() -> str:
        return _("You are its owner. The publisher is no longer pending: it is trusted by the project.")

    name = "pending-trusted-publisher-reified"
    _tell(name, [user], project, publisher, subject, says, cause=str(cause))


def pending_invalidated(pending: PendingPublisher, *, cause: int) -> None:
    """``pending-trusted-publisher-invalidated`` to whoever added it."""

    def subject() -> str:
        return _("Your pending publisher for %(project)s is void") % {"project": pending.project_name}

    def says() -> str:
        return _("There is a project of that name, or of one too much like it, which it did not start.")

    _about_pending("pending-trusted-publisher-invalidated", pending, subject, says, cause=str(cause))


def pending_expired(pending: PendingPublisher, *, cause: int) -> None:
    """``pending-trusted-publisher-expired`` to whoever added it."""

    def subject() -> str:
        return _("Your pending publisher for %(project)s has expired") % {"project": pending.project_name}

    def says() -> str:
        return _("It was not used within 30 days, and is removed. You can add it anew.")

    _about_pending("pending-trusted-publisher-expired", pending, subject, says, cause=str(cause))


def pending_reminder(pending: PendingPublisher, *, ends: datetime) -> None:
    """``pending-trusted-publisher-expiration-reminder`` to whoever added it."""

    def subject() -> str:
        return _("Your pending publisher for %(project)s will expire") % {"project": pending.project_name}

    def says() -> str:
        day = date_format(ends, "DATE_FORMAT")
        return _("It is removed on %(day)s, unless its first release is published before.") % {"day": day}

    name = "pending-trusted-publisher-expiration-reminder"
    _about_pending(name, pending, subject, says, cause=str(pending.pk))


def settings_of(project: Project) -> str:
    """The path of the page where the project's publishers are."""
    return f"/manage/project/{project.normalized_name}/settings/publishing/"


def _owners(project: Project) -> list[User]:
    """Who may change whom the project trusts, by whatever way."""
    return [user for user in collaborators(project) if role_of(user.pk, project) == Role.Name.OWNER]


def _tell(
    name: str,
    to: Iterable[User],
    project: Project,
    publisher: Trusted,
    subject: Callable[[], str],
    says: Callable[[], str],
    *,
    cause: str,
    by: User | None = None,
    path: str = "",
) -> None:
    for reader in to:

        def draft(reader: User = reader) -> Draft:
            done_by = [(_("Done by"), by.username)] if by else []
            return Draft(
                subject=subject(),
                says=[says()],
                facts=[(_("Project"), project.name), *_facts(publisher), *done_by],
                button=Button(_("Look at the trusted publishers"), path or settings_of(project)),
                because=about_your_account(reader),
            )

        write(reader, name, draft, cause=cause, kind=SECURITY)


def _about_pending(
    name: str, pending: PendingPublisher, subject: Callable[[], str], says: Callable[[], str], *, cause: str
) -> None:
    def draft() -> Draft:
        return Draft(
            subject=subject(),
            says=[says()],
            facts=[(_("Project"), pending.project_name), *_facts(pending)],
            button=Button(_("Look at your pending publishers"), PENDING),
            because=about_your_account(pending.user),
        )

    write(pending.user, name, draft, cause=cause, kind=NOTICE)


def _facts(trusted: Trusted) -> Facts:
    return [(_("Publisher"), f"{trusted.get_kind_display()}: {words_of(trusted)}")]

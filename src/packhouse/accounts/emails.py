"""The letters about accounts: what has been asked for, and every change to what lets people in.

One function for each letter, to be called in the transaction of what it tells of.  *cause* names that (the audit
event's id, for example): one cause makes one letter to an address.  All return nothing; whoever has no address that
letters may be sent to gets none.
"""

from collections.abc import Callable, Sequence
from typing import Final

from allauth.account.models import EmailAddress
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packhouse.accounts.models import User
from packhouse.accounts.queries import standing_of
from packhouse.base import agents, clock
from packhouse.base.identity import current_request
from packhouse.mail.actions import post
from packhouse.mail.draft import Button, Draft
from packhouse.mail.models import Letter

HISTORY: Final = "/manage/account/history/"
ACCOUNT: Final = "/manage/account/"
FORGOTTEN: Final = "/account/request-password-reset/"
SECURITY, REQUESTED, NOTICE = Letter.Kind.SECURITY, Letter.Kind.REQUESTED, Letter.Kind.NOTICE


def write(
    user: User,
    name: str,
    draft: Callable[[], Draft],
    *,
    cause: str,
    kind: Letter.Kind = NOTICE,
    to: str = "",
    even_unverified: bool = False,
    even_returned: bool = False,
    is_secret: bool = False,
) -> None:
    """Post a letter to *user*: to its address *to*, or to its primary one.

    Unless *even_unverified*, the address must be verified; unless *even_returned*, letters to it must not have come
    back.  An address that is no longer (or not yet) the user's gets its letter when *even_unverified* says so.
    """
    address = to or user.email
    if not address:
        return
    is_verified, is_returned = standing_of(user, address)
    if not (is_verified or even_unverified) or (is_returned and not even_returned):
        return
    post(
        name,
        draft,
        to=address,
        user_id=user.pk,
        language=user.language or "en",
        cause=cause,
        kind=kind,
        is_secret=is_secret,
    )


def about_your_account(user: User) -> str:
    """Why somebody gets a letter about an account, for its foot."""
    return _("You get this letter because this address belongs to the account %(username)s.") % {
        "username": user.username
    }


def _circumstances() -> list[tuple[str, str]]:
    """When, from where and with what it is being done."""
    request = current_request.get()
    found = [(_("When"), f"{date_format(clock.now(), 'DATETIME_FORMAT')} UTC")]
    if request.address:
        found.append((_("From address"), request.address))
    if request.user_agent:
        found.append((_("With"), agents.parse(request.user_agent).label))
    return found


def _security(
    user: User, subject: str, says: Sequence[str], facts: Sequence[tuple[str, str]] = (), button: Button | None = None
) -> Draft:
    """A change that somebody who has broken in could have made."""
    return Draft(
        subject=subject,
        says=says,
        facts=[(_("Account"), user.username), *facts, *_circumstances()],
        button=button or Button(_("Look at the security history"), HISTORY),
        then=[
            _("If this was you, there is nothing to do."),
            _("If it was not, change your password at once and delete the API tokens that you do not know."),
        ],
        because=about_your_account(user),
    )


def _for_hours(hours: int) -> str:
    return ngettext(
        "The link works for %(hours)d hour and only once.", "The link works for %(hours)d hours and only once.", hours
    ) % {"hours": hours}


# Addresses


def verify_email(user: User, address: str, *, url: str, hours: int, cause: str) -> None:
    """To a new, unverified address: the link that verifies it."""

    def draft() -> Draft:
        return Draft(
            subject=_("Verify your email address"),
            says=[
                _("Somebody, most likely you, has given this address to the account %(username)s.")
                % {"username": user.username}
            ],
            button=Button(_("Verify this address"), url),
            then=[_for_hours(hours), _("If this was not you, do nothing: without the link the address is not used.")],
            because=_("You get this letter because somebody entered this address here."),
        )

    write(
        user,
        "verify-email",
        draft,
        cause=cause,
        kind=REQUESTED,
        to=address,
        even_unverified=True,
        even_returned=True,
        is_secret=True,
    )


def new_email_added(user: User, address: str, *, cause: str) -> None:
    """To each other verified address: *address* has been added."""

    def draft() -> Draft:
        return _security(
            user,
            _("An email address was added to your account"),
            [_("Once it is verified, it can be used to reset the password.")],
            [(_("Added"), address)],
        )

    for other in _verified(user):
        if other.casefold() != address.casefold():
            write(user, "new-email-added", draft, cause=cause, kind=SECURITY, to=other)


def email_removed(user: User, address: str, *, cause: str) -> None:
    """To the removed *address*, if it was verified (the caller knows), and to the primary one."""

    def draft() -> Draft:
        return _security(user, _("An email address was removed from your account"), [], [(_("Removed"), address)])

    write(user, "email-removed", draft, cause=cause, kind=SECURITY, to=address, even_unverified=True)
    write(user, "email-removed", draft, cause=cause, kind=SECURITY)


def primary_email_changed(user: User, *, old: str, new: str, cause: str) -> None:
    """To the old and the new primary address."""

    def draft() -> Draft:
        return _security(
            user,
            _("Your primary email address was changed"),
            [_("From now on, letters go to the new address.")],
            [(_("Old"), old), (_("New"), new)],
        )

    for address in dict.fromkeys((old, new)):
        write(user, "primary-email-change", draft, cause=cause, kind=SECURITY, to=address, even_unverified=True)


# Passwords


def password_reset(user: User, address: str, *, url: str, hours: int, cause: str) -> None:
    """To the verified address that was asked for: the link that sets a new password."""

    def draft() -> Draft:
        return Draft(
            subject=_("Set a new password"),
            says=[
                _("Somebody, most likely you, has asked for a new password for the account %(username)s.")
                % {"username": user.username}
            ],
            facts=_circumstances(),
            button=Button(_("Set a new password"), url),
            then=[_for_hours(hours), _("If this was not you, do nothing: your password stays as it is.")],
            because=about_your_account(user),
        )

    write(user, "password-reset", draft, cause=cause, kind=REQUESTED, to=address, is_secret=True)


def password_reset_unverified(user: User, address: str, *, cause: str) -> None:
    """To an unverified address that was asked for: why there is no link."""

    def draft() -> Draft:
        return Draft(
            subject=_("A new password was asked for"),
            says=[
                _("Somebody, most likely you, has asked for a new password for an account with this address."),
                _("The address has never been verified, so no link can be sent to it."),
                _("Ask again with a verified address of the account, or with its user name."),
            ],
            button=Button(_("Ask again"), FORGOTTEN),
            because=_("You get this letter because somebody entered this address here."),
        )

    write(user, "password-reset-unverified", draft, cause=cause, kind=REQUESTED, to=address, even_unverified=True)


def password_changed(user: User, *, cause: str) -> None:
    """The password was changed or reset."""

    def draft() -> Draft:
        return _security(
            user,
            _("Your password was changed"),
            [_("All other sessions of the account have been signed out.")],
            button=Button(_("This was not me: set a new password"), FORGOTTEN),
        )

    write(user, "password-change", draft, cause=cause, kind=SECURITY)


def password_compromised_hibp(user: User, *, cause: str) -> None:
    """The password stands in a public collection of stolen ones and no longer works."""

    def draft() -> Draft:
        return Draft(
            subject=_("Your password has been stolen somewhere and no longer works here"),
            says=[
                _("The password of the account %(username)s stands in a public collection of stolen passwords.")
                % {"username": user.username},
                _("It need not have been stolen here. Whoever has the collection can try it here all the same."),
            ],
            button=Button(_("Set a new password"), FORGOTTEN),
            then=[_("Use the new password here alone. A password manager remembers it for you.")],
            because=about_your_account(user),
        )

    write(user, "password-compromised-hibp", draft, cause=cause, kind=SECURITY, even_unverified=True)


def password_reset_by_admin(user: User, *, cause: str) -> None:
    """An administrator has put the password out of use."""

    def draft() -> Draft:
        return Draft(
            subject=_("Your password must be set anew"),
            says=[
                _("An administrator has put the password of the account %(username)s out of use.")
                % {"username": user.username}
            ],
            button=Button(_("Set a new password"), FORGOTTEN),
            because=about_your_account(user),
        )

    write(user, "password-reset-by-admin", draft, cause=cause, kind=SECURITY, even_unverified=True)


# Second factors and sign-in


def two_factor_added(user: User, *, method: str, cause: str) -> None:
    """A second factor was added; *method* in words, such as the security key's name."""

    def draft() -> Draft:
        return _security(user, _("A second factor was added to your account"), [], [(_("Added"), method)])

    write(user, "two-factor-added", draft, cause=cause, kind=SECURITY)


def two_factor_removed(user: User, *, method: str, cause: str) -> None:
    """A second factor was removed."""

    def draft() -> Draft:
        return _security(user, _("A second factor was removed from your account"), [], [(_("Removed"), method)])

    write(user, "two-factor-removed", draft, cause=cause, kind=SECURITY)


def recovery_codes_generated(user: User, *, cause: str) -> None:
    """New recovery codes; the old ones are void."""

    def draft() -> Draft:
        return _security(
            user, _("Recovery codes were made for your account"), [_("Earlier recovery codes no longer work.")]
        )

    write(user, "recovery-codes-generated", draft, cause=cause, kind=SECURITY)


def recovery_code_used(user: User, *, left: int, cause: str) -> None:
    """Somebody signed in with a recovery code; *left*: how many are unused."""

    def draft() -> Draft:
        return _security(
            user,
            _("A recovery code was used to sign in"),
            [
                ngettext("%(left)d recovery code is left.", "%(left)d recovery codes are left.", left) % {"left": left},
                _("Make new codes in good time, before none is left."),
            ],
        )

    write(user, "recovery-code-used", draft, cause=cause, kind=SECURITY)


def recovery_code_reminder(user: User, *, cause: str) -> None:
    """The account has a second factor and no recovery codes."""

    def draft() -> Draft:
        return Draft(
            subject=_("Make recovery codes for your account"),
            says=[
                _("The account %(username)s has a second factor and no recovery codes.") % {"username": user.username},
                _("If you lose the second factor, only a recovery code lets you in."),
            ],
            button=Button(_("Make recovery codes"), "/manage/account/two-factor/"),
            because=about_your_account(user),
        )

    write(user, "recovery-code-reminder", draft, cause=cause)


def unrecognized_login(user: User, *, url: str, hours: int, cause: str) -> None:
    """A sign-in from a new device waits for this link to be opened in the same browser."""

    def draft() -> Draft:
        return Draft(
            subject=_("Confirm your sign-in from a new device"),
            says=[_("Somebody has signed in with your password and second factor, on a device not seen before.")],
            facts=[(_("Account"), user.username), *_circumstances()],
            button=Button(_("Confirm this sign-in"), url),
            then=[
                _("Open the link in the browser in which you are signing in."),
                _for_hours(hours),
                _("If this was not you, do not open the link, and change your password at once: somebody knows it."),
            ],
            because=about_your_account(user),
        )

    write(user, "unrecognized-login", draft, cause=cause, kind=SECURITY, even_unverified=True, is_secret=True)


# API tokens


def api_token_added(user: User, *, description: str, works_for: Sequence[str], cause: str) -> None:
    """An API token was made; *works_for* names projects or patterns of names, and is empty for the whole account."""

    def draft() -> Draft:
        return _security(
            user,
            _("An API token was made for your account"),
            [],
            [(_("Token"), description), (_("Works for"), ", ".join(works_for) or _("the whole account"))],
            Button(_("Look at your API tokens"), "/manage/account/token/"),
        )

    write(user, "api-token-added", draft, cause=cause, kind=SECURITY)


def api_token_removed(user: User, *, description: str, cause: str) -> None:
    """An API token was deleted."""

    def draft() -> Draft:
        return _security(user, _("An API token of your account was deleted"), [], [(_("Token"), description)])

    write(user, "api-token-removed", draft, cause=cause, kind=SECURITY)


def token_compromised_leak(user: User, *, description: str, source: str, place: str, cause: str) -> None:
    """An API token was found in public by *source* at *place* (an address, or why) and has been deleted."""

    def draft() -> Draft:
        return Draft(
            subject=_("An API token of yours was found in public and deleted"),
            says=[
                _("Whoever saw the token could publish in your name until it was deleted."),
                _("Look through the releases of your projects, and make a new token where you need one."),
            ],
            facts=[
                (_("Account"), user.username),
                (_("Token"), description),
                (_("Found by"), source),
                (_("Where"), place),
            ],
            button=Button(_("Look at the security history"), HISTORY),
            because=about_your_account(user),
        )

    write(user, "token-compromised-leak", draft, cause=cause, kind=SECURITY, even_unverified=True)


# The account itself


def account_deleted(user: User, *, undo_url: str, days: int, cause: str) -> None:
    """To every verified address: the account is deleted, and until when that can be undone."""

    def draft() -> Draft:
        return Draft(
            subject=_("Your account was deleted"),
            says=[
                _("The account %(username)s has been deleted.") % {"username": user.username},
                ngettext("You can take that back for %(days)d day.", "You can take that back for %(days)d days.", days)
                % {"days": days},
            ],
            facts=_circumstances(),
            button=Button(_("Restore the account"), undo_url),
            because=about_your_account(user),
        )

    for address in _verified(user):
        write(user, "account-deleted", draft, cause=cause, kind=SECURITY, to=address, is_secret=True)


def account_restored(user: User, *, cause: str) -> None:
    """To every verified address: the deletion was undone."""

    def draft() -> Draft:
        return _security(user, _("Your account was restored"), [_("It will not be deleted.")])

    for address in _verified(user):
        write(user, "account-restored", draft, cause=cause, kind=SECURITY, to=address)


def account_frozen(user: User, *, cause: str) -> None:
    """An administrator has suspended the account."""

    def draft() -> Draft:
        return Draft(
            subject=_("Your account is suspended"),
            says=[
                _("An administrator has suspended the account %(username)s.") % {"username": user.username},
                _("Its sessions and API tokens do not work. Its projects stay as they are."),
                _("To have it looked at, answer to the people who run this index."),
            ],
            because=about_your_account(user),
        )

    write(user, "account-frozen", draft, cause=cause, kind=SECURITY, even_unverified=True)


def account_unfrozen(user: User, *, cause: str) -> None:
    """The account may be used again."""

    def draft() -> Draft:
        return Draft(
            subject=_("Your account is no longer suspended"),
            says=[_("The account %(username)s may be used again.") % {"username": user.username}],
            button=Button(_("Go to your account"), ACCOUNT),
            because=about_your_account(user),
        )

    write(user, "account-unfrozen", draft, cause=cause, kind=SECURITY, even_unverified=True)


def account_association_added(user: User, *, service: str, handle: str, cause: str) -> None:
    """An account elsewhere was connected."""

    def draft() -> Draft:
        return _security(
            user, _("An account elsewhere was connected to yours"), [], [(_("Service"), service), (_("Name"), handle)]
        )

    write(user, "account-association-added", draft, cause=cause, kind=SECURITY)


def account_association_removed(user: User, *, service: str, handle: str, cause: str) -> None:
    """An account elsewhere was disconnected."""

    def draft() -> Draft:
        return _security(
            user,
            _("An account elsewhere was disconnected from yours"),
            [],
            [(_("Service"), service), (_("Name"), handle)],
        )

    write(user, "account-association-removed", draft, cause=cause, kind=SECURITY)


def _verified(user: User) -> list[str]:
    """The user's verified addresses, the primary one first."""
    found = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return list(found.values_list("email", flat=True))

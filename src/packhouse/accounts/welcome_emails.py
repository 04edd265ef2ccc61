"""The letters around registration: invitations, addresses that are somebody else's, new terms of service."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packhouse.accounts.emails import FORGOTTEN, about_your_account, write
from packhouse.accounts.models import User
from packhouse.mail.actions import post
from packhouse.mail.draft import Button, Draft
from packhouse.mail.models import Letter


def address_in_use(owner: User, address: str, *, cause: str) -> None:
    """To the owner of *address*: somebody else has given it for another account."""

    def draft() -> Draft:
        return Draft(
            subject=_("You have an account already"),
            says=[
                _("Somebody, perhaps you, has given this address for another account."),
                _("It belongs to the account %(username)s and stays there.") % {"username": owner.username},
            ],
            button=Button(_("Forgotten your password?"), FORGOTTEN),
            then=[_("If this was not you, there is nothing to do.")],
            because=about_your_account(owner),
        )

    write(owner, "address-in-use", draft, cause=cause, kind=Letter.Kind.REQUESTED, to=address)


def invitation(address: str, *, url: str, by: str, days: int, cause: str) -> None:
    """To somebody without an account: the link with which one can be made."""

    def draft() -> Draft:
        inviter = _("%(username)s invites you to make an account here.") % {"username": by}
        return Draft(
            subject=_("You are invited to %(site)s") % {"site": settings.PACKHOUSE.site_name},
            says=[inviter if by else _("You are invited to make an account here.")],
            button=Button(_("Make an account"), url),
            then=[
                ngettext(
                    "The link works for %(days)d day and only once.",
                    "The link works for %(days)d days and only once.",
                    days,
                )
                % {"days": days}
            ],
            because=_("You get this letter because somebody entered this address here."),
        )

    post(
        "invitation",
        draft,
        to=address,
        user_id=None,
        language=settings.LANGUAGE_CODE,
        cause=cause,
        kind=Letter.Kind.REQUESTED,
        is_secret=True,
    )


def terms_changed(user: User, *, url: str, revision: str) -> None:
    """The terms of service have a new revision."""

    def draft() -> Draft:
        return Draft(
            subject=_("The terms of service have changed"),
            says=[_("If you go on using your account, the new terms hold for you.")],
            button=Button(_("Read the terms of service"), url),
            because=about_your_account(user),
        )

    write(user, "terms-changed", draft, cause=f"{user.pk}:{revision}")

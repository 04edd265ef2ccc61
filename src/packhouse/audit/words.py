"""What each event of an account says to its owner, in one sentence."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SENTENCES: Final[Mapping[str, Promise]] = {
    "account:create": _("The account was created."),
    "account:delete": _("The account was deleted."),
    "account:disable": _("The account was disabled."),
    "account:erase": _("What was personal of the account was erased."),
    "account:profile": _("The profile was changed."),
    "account:restore": _("The deletion of the account was taken back."),
    "account:freeze": _("The account was frozen by an administrator."),
    "account:unfreeze": _("The account was unfrozen by an administrator."),
    "api_token:added": _("The API token “%(description)s” was created."),
    "api_token:removed": _("The API token “%(description)s” was deleted."),
    "api_token:removed_leak": _("The API token “%(description)s” was found in public and deleted."),
    "association:add": _("The account “%(external_username)s” at %(service)s was connected."),
    "association:remove": _("The account “%(external_username)s” at %(service)s was disconnected."),
    "email:add": _("The address %(email)s was added."),
    "email:primary:change": _("The primary address changed from %(old_primary)s to %(new_primary)s."),
    "email:remove": _("The address %(email)s was removed."),
    "email:reverify": _("A new verification letter for %(email)s was asked for."),
    "email:sent": _("A letter was sent to %(to)s: %(subject)s"),
    "email:unverified": _("The address %(email)s is no longer verified: %(reason)s"),
    "email:verified": _("The address %(email)s was verified."),
    "login:failure": _("Signing in failed: %(reason)s"),
    "login:new_device": _("Somebody signed in with a browser that was not known."),
    "login:success": _("Signed in: %(two_factor_method)s"),
    "oidc:pending-publisher-added": _("A trusted publisher for the coming project “%(project)s” was added."),
    "oidc:pending-publisher-removed": _("The trusted publisher for the coming project “%(project)s” was removed."),
    "organization:approve": _("Your request for the organization “%(organization_name)s” was approved."),
    "organization:decline": _("Your request for the organization “%(organization_name)s” was declined."),
    "organization:request": _("You asked for the organization “%(organization_name)s”."),
    "organization_role:add": _("You became %(role_name)s of the organization “%(organization_name)s”."),
    "organization_role:change": _("Your role in the organization “%(organization_name)s” is now %(role_name)s."),
    "organization_role:decline_invite": _("You declined to join the organization “%(organization_name)s”."),
    "organization_role:expire_invite": _("The invitation to the organization “%(organization_name)s” expired."),
    "organization_role:invite": _("You were invited to the organization “%(organization_name)s”."),
    "organization_role:remove": _("You left the organization “%(organization_name)s”."),
    "organization_role:revoke_invite": _("The invitation to the organization “%(organization_name)s” was taken back."),
    "password:change": _("The password was changed."),
    "password:disabled": _("The password was disabled: %(reason)s"),
    "password:reset": _("The password was reset."),
    "password:reset:attempt": _("Somebody asked to reset the password; no letter was sent."),
    "password:reset:request": _("Somebody asked to reset the password."),
    "reauthenticate:failure": _("The password was asked for again, and was wrong."),
    "recovery_codes:generated": _("Recovery codes were made."),
    "recovery_codes:regenerated": _("New recovery codes were made; the former are void."),
    "recovery_codes:used": _("A recovery code was used."),
    "role:add": _("You became %(role_name)s of the project “%(project_name)s”."),
    "role:change": _("Your role in the project “%(project_name)s” is now %(role_name)s."),
    "role:decline_invite": _("You declined to join the project “%(project_name)s”."),
    "role:invite": _("You were invited to the project “%(project_name)s”."),
    "role:remove": _("You left the project “%(project_name)s”."),
    "role:revoke_invite": _("The invitation to the project “%(project_name)s” was taken back."),
    "session:revoked": _("A session was ended."),
    "team_role:add": _("You joined the team “%(team_name)s”."),
    "team_role:remove": _("You left the team “%(team_name)s”."),
    "two_factor:device_remembered": _("A browser is remembered for 30 days."),
    "two_factor:method_added": _("A second factor was added: %(method)s %(label)s"),
    "two_factor:method_removed": _("A second factor was removed: %(method)s %(label)s"),
}
OF_ORGANIZATIONS: Final[Mapping[str, Promise]] = {
    "catalog_entry:add": _("The name %(name)s was reserved."),
    "organization:activate": _("The organization was woken up."),
    "organization:change": _("What the organization says of itself was changed."),
    "organization:create": _("The organization was created."),
    "organization:deactivate": _("The organization was put to rest."),
    "organization_project:add": _("The project “%(project_name)s” was added."),
    "organization_project:remove": _("The project “%(project_name)s” was removed."),
    "organization_role:add": _("%(target_user)s became %(role_name)s."),
    "organization_role:change": _("The role of %(target_user)s is now %(role_name)s."),
    "organization_role:decline_invite": _("%(target_user)s declined to join."),
    "organization_role:invite": _("%(target_user)s was invited."),
    "organization_role:remove": _("%(target_user)s left or was removed."),
    "organization_role:revoke_invite": _("The invitation to %(target_user)s was taken back."),
    "team:create": _("The team “%(team_name)s” was created."),
    "team:delete": _("The team “%(team_name)s” was deleted."),
    "team:rename": _("The team “%(previous)s” was renamed to “%(team_name)s”."),
    "team_project_role:add": _("The team “%(team_name)s” became %(role_name)s of the project “%(project_name)s”."),
    "team_project_role:change": _(
        "The role of the team “%(team_name)s” on the project “%(project_name)s” is now %(role_name)s."
    ),
    "team_project_role:remove": _("The team “%(team_name)s” has no role on the project “%(project_name)s” any more."),
    "team_role:add": _("%(target_user)s joined the team “%(team_name)s”."),
    "team_role:remove": _("%(target_user)s left the team “%(team_name)s”."),
}
"""What each event of an organization says to its owners."""
OF_ITSELF: Final = frozenset({"account:erase", "email:sent", "email:unverified", "organization_role:expire_invite"})
"""What the index does without anybody asking."""
VALUES: Final[Mapping[str, Promise]] = {
    "Owner": pgettext_lazy("role", "Owner"),
    "Manager": pgettext_lazy("role", "Manager"),
    "Billing manager": pgettext_lazy("role", "Billing manager"),
    "Member": pgettext_lazy("role", "Member"),
    "Maintainer": pgettext_lazy("role", "Maintainer"),
    "invalid_password": _("wrong password"),
    "invalid_totp": _("wrong code of the authenticator app"),
    "invalid_webauthn": _("the answer of a key was not right"),
    "invalid_recovery_code": _("wrong recovery code"),
    "burned_recovery_code": _("a recovery code that was used before"),
    "totp": _("authenticator app"),
    "webauthn": _("passkey or security key"),
    "passkey": _("passkey"),
    "recovery-code": _("recovery code"),
    "remembered-device": _("remembered browser"),
    "registration": _("after registering"),
    "email-confirmation": _("confirmed by letter"),
    "None": _("with the password alone"),
}


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(tag: str, additional: Mapping[str, Any]) -> str:
    """What an event says; its tag where there are no words for it."""
    return _said(SENTENCES, tag, additional)


def organization_sentence(tag: str, additional: Mapping[str, Any]) -> str:
    """What an event of an organization says; its tag where there are no words for it."""
    return _said(OF_ORGANIZATIONS, tag, additional)


def _said(sentences: Mapping[str, Promise], tag: str, additional: Mapping[str, Any]) -> str:
    words = sentences.get(tag)
    if words is None:
        return tag
    values = {key: VALUES.get(str(value), value) for key, value in additional.items()}
    return (str(words) % _Values(values)).strip()

"""What stands between a right password and a session: django-allauth's login stages, ours.

A stage's ``handle`` lets the sign-in pass (``None, True``) or sends the browser to a page; that page finds the stage
with ``LoginStageController.enter(request, key)`` and goes on with ``stage.exit()``.  What a stage finds out stands in
``login.state``: ``factor`` and ``factor_label`` say which second factor was given.
"""

from typing import Final

from allauth.account.stages import LoginStage, LoginStageController
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from packhouse.accounts import actions, devices

STAGES: Final = (
    "packhouse.accounts.factors.stages.SecondFactor",
    "packhouse.accounts.stages.NewDevice",
    "packhouse.accounts.stages.Arrival",
)
"""In their order; ``Arrival`` is the last."""
PHISHABLE: Final = frozenset({"totp", "recovery-code"})
"""Second factors that a fraudulent site can pass on while its visitor types them."""

Handled = tuple[HttpResponseBase | None, bool]


class NewDevice(LoginStage):  # type: ignore[misc]
    """A phishable second factor, in a browser not seen before, is confirmed by a letter."""

    key = "new_device"
    urlname = "confirm-login"

    def handle(self) -> Handled:
        factor = self.login.state.get("factor")
        if factor not in PHISHABLE or devices.is_known(self.request, self.login.user):
            return None, True
        actions.ask_about_device(self.login.user, devices.secret_of(self.request), factor=factor)
        response = redirect(self.urlname)
        devices.remember(self.request, response)
        return response, True


class Arrival(LoginStage):  # type: ignore[misc]
    """Hands what the other stages have found to the adapter, which is told of the user alone."""

    key = "arrival"

    def handle(self) -> Handled:
        self.request.arriving = self.login
        return None, True


def pending(request: HttpRequest, key: str) -> LoginStage | None:
    """The stage *key*, if the sign-in that this browser has begun waits there."""
    return LoginStageController.enter(request, key)

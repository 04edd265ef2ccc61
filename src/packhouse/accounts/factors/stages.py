"""The step of signing in that asks for a second factor."""

from typing import Any

from allauth.account.stages import LoginStage, LoginStageController
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from packhouse.accounts import queries as accounts
from packhouse.accounts.factors import trust


class SecondFactor(LoginStage):  # type: ignore[misc] # the library brings no types
    """Asks for a second factor where the user has one, unless a passkey or a remembered browser stands for it.

    Notes in ``login.state`` what let the user in: ``factor`` (``totp``, ``webauthn``, ``recovery-code``, ``passkey``,
    ``remembered-device``) and ``factor_label``.
    """

    key = "second_factor"
    urlname = "second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user, state = self.login.user, self.login.state
        if user is None or state.get("factor") == "passkey" or not accounts.has_two_factor(user):
            return None, True
        if trust.is_remembered(self.request, user):
            state["factor"] = "remembered-device"
            return None, True
        return redirect(self.urlname), True

    def passed(self, factor: str, label: str = "") -> HttpResponse:
        """Go on with signing in."""
        self.login.state["factor"], self.login.state["factor_label"] = factor, label
        response: HttpResponse = self.exit()
        return response


def entered(request: HttpRequest) -> Any:
    """The step that *request* is in the middle of, a ``SecondFactor``; None when it is not."""
    return LoginStageController.enter(request, SecondFactor.key)

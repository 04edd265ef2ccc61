"""Sessions in use."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse

from packhouse.accounts import actions
from packhouse.base import clock
from packhouse.base.visibility import is_public

NOTED_EVERY: Final = timedelta(minutes=5)


class SessionUse:
    """Notes from where and when a session was last used, every few minutes, which also prolongs it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_public(request) and response.status_code < 500 and self._is_due(request):
            actions.note_session_use(request)
        return response

    def _is_due(self, request: HttpRequest) -> bool:
        session = getattr(request, "session", None)
        if session is None or not session.accessed or not session.session_key or not request.user.is_authenticated:
            return False
        noted = session.get(actions.NOTED_AT)
        if noted is None:
            return True
        passed = clock.now().timestamp() - noted  # less than nothing once the clock has been put back since
        return not 0 <= passed <= NOTED_EVERY.total_seconds()

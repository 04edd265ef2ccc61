"""Background work of accounts."""

from packhouse.accounts import actions
from packhouse.base.identity import RequestFacts, current_request
from packhouse.queue import background


@background("mail", attempts=3)
def request_password_reset(typed: str, address: str, user_agent: str, request_id: str) -> None:
    """Post what whoever typed *typed* gets.  Run twice, it posts two letters, of which the links exclude each other."""
    token = current_request.set(RequestFacts(address, user_agent, request_id))
    try:
        actions.request_password_reset(typed)
    finally:
        current_request.reset(token)


@background("heavy", attempts=3, unique=True)
def erase_deleted_accounts() -> None:
    """Erase what is personal of accounts that can no longer be restored.  Safe to run twice."""
    actions.erase_deleted_accounts()


@background("mail", attempts=3, unique=True)
def announce_terms() -> None:
    """Tell those who do not know the present terms of service yet, some at a time.  Safe to run twice."""
    actions.announce_terms(most=1000)


@background("heavy", attempts=3, unique=True, time_limit=3600)
def check_domains() -> None:
    """Ask whether the domains of verified addresses are still registered, some each day.  Safe to run twice."""
    actions.check_domains(most=1000)

"""What tests of the console share."""

from tests.accounts.conftest import configure

__all__ = ["configure"]

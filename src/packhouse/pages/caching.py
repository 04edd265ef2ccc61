"""How long pages that are the same for everybody are kept, by whom, and what makes a cache in front forget them.

A page names what it shows in ``Surrogate-Key``; whoever changes one of these purges by that key.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from packhouse.base.visibility import public

View = TypeVar("View", bound=Callable[..., HttpResponse])

DAY: Final = 86_400
ALL_PROJECTS: Final = "all-projects"
SIMPLE_INDEX: Final = "simple-index"


def organization_key(normalized_name: str) -> str:
    """What stands for an organization."""
    return f"org/{normalized_name}"


def cached(*, shared: int = DAY, max_age: int = 0) -> Callable[[View], View]:
    """Marks a view that is read only as public: browsers keep its pages for *max_age* seconds, a cache in front that is
    told of changes for *shared*.
    """

    def decorate(view: View) -> View:
        return require_safe(public(max_age=max_age, shared=shared)(view))

    return decorate


def keyed(response: HttpResponse, *keys: str) -> HttpResponse:
    """*response*, to be forgotten when what one of *keys* stands for has changed."""
    response["Surrogate-Key"] = " ".join(keys)
    return response

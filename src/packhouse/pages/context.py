"""What pages say of the index's state."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from packhouse.flags import queries as flags


def notices(request: HttpRequest) -> dict[str, Any]:
    """For all templates: ``notices``, a line for each switch that is on and should be known; asked for when shown."""
    return {"notices": SimpleLazyObject(flags.notices)}

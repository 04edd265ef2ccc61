"""What an organization may be called, and by what the trail knows it."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from packhouse.audit.actions import Subject
from packhouse.organizations.models import Organization
from packhouse.organizations.queries import is_name_taken
from packhouse.specs.names import is_valid_name, normalize

LONGEST: Final = 50
_TEAM_NAME: Final = re.compile(r"[^\s/._-](?:.*[^\s/._-])?")


def check_name(name: str) -> str:
    """The normalized spelling of *name*, which an organization may take.  Raises ``ValidationError``."""
    if len(name) > LONGEST or not is_valid_name(name):
        raise ValidationError(
            {"name": _("Use letters, digits, “.”, “_” and “-” alone, with a letter or digit at both ends.")}
        )
    if is_name_taken(name):
        raise ValidationError({"name": _("The name “%s” is taken.") % name})
    return normalize(name)


def normalize_team(name: str) -> str:
    """The spelling in which names of teams are compared, and that of addresses.  Raises ``ValidationError``."""
    if len(name) > LONGEST or not name.isprintable() or not _TEAM_NAME.fullmatch(name):
        raise ValidationError(
            {"name": _("The name of a team begins and ends with neither space nor “/”, “.”, “_”, “-”.")}
        )
    return re.sub(r"[\s/._-]+", "-", name).lower()


def subject(organization: Organization) -> Subject:
    """What events are recorded on."""
    return Subject("organization", str(organization.uid), organization.name)

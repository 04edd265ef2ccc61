"""What the help page says: topics by group.  A topic's id is an address (``/help/#yanked``) that others link to."""

from typing import Final

from packhouse.pages.helping.topics import ABOUT, ACCOUNT, BASICS, PROGRAMS, RULES
from packhouse.pages.helping.troubles import TROUBLES

GROUPS: Final = (BASICS, ACCOUNT, PROGRAMS, RULES, TROUBLES, ABOUT)

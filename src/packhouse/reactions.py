"""What follows from each fact.  The whole list, readable in one place."""

from packhouse.base.facts import Fact, Reaction

REACTIONS: dict[type[Fact], Reaction] = {}

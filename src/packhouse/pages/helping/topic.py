"""What topics and their groups are made of."""

from dataclasses import dataclass, field

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Topic:
    """A question and its answer; ``commands`` may name ``{url}``, this index's own address."""

    id: str
    title: Text
    paragraphs: tuple[Text, ...]
    commands: tuple[str, ...] = ()
    links: tuple[tuple[str, Text], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Group:
    """Topics that belong together."""

    title: Text
    topics: tuple[Topic, ...]

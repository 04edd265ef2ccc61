"""The small parts of pages, one tag each.  Every page has them without ``{% load %}``; /_style/ shows them all."""

from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final

from django import template
from django.contrib.messages.storage.base import Message
from django.core.paginator import Page
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packhouse.base import clock

register = template.Library()

KIND_ICONS: Final = {"ok": "ok", "warn": "warning", "danger": "error", "info": "info"}
FLIPPING: Final = frozenset({"chevron-left", "chevron-right", "external", "log-out"})
MINUTE, HOUR, DAY, MONTH, YEAR = 60, 3600, 86_400, 2_629_746, 31_556_952
MEGABYTE: Final = 1_000_000


@cache
def _sprite() -> str:
    return static("packhouse/icons.svg")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """The icon *name* of the sprite; hidden from screen readers unless it has a *label*."""
    if not label:
        return _plain_icon(name)
    return format_html(
        '<svg class="icon{}" role="img" aria-label="{}"><use href="{}#{}"></use></svg>',
        _flips(name),
        label,
        _sprite(),
        name,
    )


@lru_cache(maxsize=256)
def _plain_icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>', _flips(name), _sprite(), name
    )


def _flips(name: str) -> str:
    """The class of those that point the other way where one reads from right to left."""
    return " icon-flips" if name in FLIPPING else ""


@register.simple_tag
def mark() -> SafeString:
    """Packhouse's mark, a small gabled crate."""
    href = f"{_sprite()}#mark"
    return format_html('<svg class="mark" aria-hidden="true"><use href="{}"></use></svg>', href)


@register.simple_tag
def badge(kind: str, text: str) -> SafeString:
    """A word in a stamp's outline; *kind* is ``ok``, ``warn``, ``danger``, ``info`` or empty."""
    picture = icon(KIND_ICONS[kind]) if kind else ""
    return format_html('<span class="badge {}">{}{}</span>', kind, picture, text)


@register.simple_tag
def count(number: int) -> SafeString:
    """A number in a small pill, for tabs and headings."""
    return format_html('<span class="count">{}</span>', formats.number_format(number, force_grouping=True))


@register.filter
def number(value: int) -> str:
    """A whole number with its thousands set apart, as the reader's language does it."""
    return formats.number_format(value, force_grouping=True)


@register.simple_tag(name="time")
def time_tag(moment: datetime | date | None, form: str = "relative") -> SafeString:
    """*moment* as a ``<time>``: "3 days ago" with the full date in its title; as a date with *form* ``date``."""
    if moment is None:
        return SafeString("")
    if not isinstance(moment, datetime):
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), formats.date_format(moment))
    full = full_date(moment)
    text = formats.date_format(moment.astimezone(timezone.get_current_timezone())) if form == "date" else ago(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), full, text)


def full_date(moment: datetime) -> str:
    """*moment* in full, with its time zone."""
    local = moment.astimezone(timezone.get_current_timezone())
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def ago(moment: datetime) -> str:
    """How long ago *moment* was, or in what time it will be, in the largest unit that fits."""
    seconds = (clock.now() - moment).total_seconds()
    return _past(int(seconds)) if seconds >= 0 else _future(int(-seconds))


def _past(seconds: int) -> str:
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", seconds // MINUTE) % {"n": seconds // MINUTE}
    if seconds < DAY:
        return ngettext("%(n)d hour ago", "%(n)d hours ago", seconds // HOUR) % {"n": seconds // HOUR}
    if seconds < MONTH:
        return ngettext("%(n)d day ago", "%(n)d days ago", seconds // DAY) % {"n": seconds // DAY}
    if seconds < YEAR:
        return ngettext("%(n)d month ago", "%(n)d months ago", seconds // MONTH) % {"n": seconds // MONTH}
    return ngettext("%(n)d year ago", "%(n)d years ago", seconds // YEAR) % {"n": seconds // YEAR}


def _future(seconds: int) -> str:
    if seconds < HOUR:
        minutes = max(1, round(seconds / MINUTE))
        return ngettext("in %(n)d minute", "in %(n)d minutes", minutes) % {"n": minutes}
    if seconds < DAY:
        hours = round(seconds / HOUR)
        return ngettext("in %(n)d hour", "in %(n)d hours", hours) % {"n": hours}
    days = round(seconds / DAY)
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}


@register.simple_tag
def size(octets: int) -> SafeString:
    """A size in MB (kB when small), with the bytes in its title."""
    if octets < 1000:
        return SafeString(ngettext("%(n)d byte", "%(n)d bytes", octets) % {"n": octets})
    number, unit = (octets / MEGABYTE, "MB") if octets >= MEGABYTE / 10 else (octets / 1000, "kB")
    places = 1 if number < 100 else 0
    exact = formats.number_format(octets, force_grouping=True)
    title = ngettext("%(exact)s byte", "%(exact)s bytes", octets) % {"exact": exact}
    shown = formats.number_format(round(number, places), places, force_grouping=True)
    return format_html('<bdi title="{}">{}&nbsp;{}</bdi>', title, shown, unit)


@register.inclusion_tag("base/parts/command.html")
def command(text: str, prompt: str = "$") -> dict[str, Any]:
    """A command in mono with a copy button; *prompt* is not copied."""
    return {"text": text, "prompt": prompt}


@register.inclusion_tag("base/parts/copyable.html")
def copyable(text: str, shown: str = "") -> dict[str, Any]:
    """A hash or token that can be copied whole; *shown* is what stands for it when it is long."""
    return {"text": text, "shown": shown or text}


@register.inclusion_tag("base/parts/empty.html")
def empty(sentence: str, action: str = "", url: str = "") -> dict[str, Any]:
    """What stands where a list has nothing: one sentence and one thing to do next."""
    return {"sentence": sentence, "action": action, "url": url}


@register.inclusion_tag("base/parts/pagination.html", takes_context=True)
def pagination(context: template.Context, page: "Page[Any]", parameter: str = "page") -> dict[str, Any]:
    """Links to the other pages of a ``Paginator``, keeping the rest of the query; nothing when there is one page."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {
        "page": page,
        "steps": [(number, _with(context, parameter, number) if isinstance(number, int) else "") for number in numbers],
        "previous": _with(context, parameter, page.number - 1),
        "next": _with(context, parameter, page.number + 1),
    }


@register.inclusion_tag("base/parts/sortable.html", takes_context=True)
def sortable(context: template.Context, field: str, label: str, parameter: str = "order") -> dict[str, Any]:
    """A column's head as a link that sorts by *field* (``?order=field``, ``?order=-field``).

    The order that holds now is the context's ``order``, else what the query says.
    """
    request: HttpRequest | None = context.get("request")
    current = context.get("order") or (request.GET.get(parameter, "") if request else "")
    is_up, is_down = current == field, current == f"-{field}"
    return {
        "label": label,
        "url": _with(context, parameter, f"-{field}" if is_up else field),
        "sorted": "ascending" if is_up else "descending" if is_down else "",
    }


def _with(context: template.Context, parameter: str, value: object) -> str:
    """The query of this page with *parameter* set to *value*."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return f"?{parameter}={value}"
    query = request.GET.copy()
    query[parameter] = str(value)
    return f"?{query.urlencode()}"


@register.simple_block_tag
def alert(content: str, kind: str = "info") -> SafeString:
    """A message within a page: ``{% alert "warn" %}<p>…</p>{% endalert %}``."""
    return format_html(
        '<div class="alert {}">{}<div class="alert-body">{}</div></div>', kind, icon(KIND_ICONS[kind]), content
    )


@register.simple_block_tag
def danger(content: str, title: str, url: str, button: str) -> SafeString:
    """A dangerous action in a ``danger-zone``: what it does, and the way to the page *url* that asks to confirm it."""
    link = format_html('<a class="button danger" href="{}" data-dialog>{}</a>', url, button)
    return format_html('<div class="danger-action"><div><h3>{}</h3>{}</div>{}</div>', title, content, link)


FLASH_KINDS: Final = {"success": "ok", "warning": "warn", "error": "danger"}


@register.filter
def flash_kind(message: Message) -> str:
    """The kind of a flash message, of Django's levels."""
    return FLASH_KINDS.get(message.level_tag, "info")


@register.simple_tag
def flash_icon(message: Message) -> SafeString:
    """The icon of a flash message."""
    return icon(KIND_ICONS[flash_kind(message)])

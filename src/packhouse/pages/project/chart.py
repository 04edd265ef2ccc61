"""A chart of numbers by day, as an SVG that needs neither script nor style of its own."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR: Final = 8
GAP: Final = 2
HEIGHT: Final = 64


def bars(days: Sequence[tuple[date, int]], title: str) -> SafeString:
    """One bar for each day; a reader who cannot see it hears *title* and the first, last and largest number."""
    largest = max((number for _, number in days), default=0) or 1
    width = len(days) * (BAR + GAP) - GAP
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" rx="1"><title>{}: {}</title></rect>',
        (
            (at * (BAR + GAP), HEIGHT - tall, BAR, tall, date_format(day), _number(number))
            for at, (day, number) in enumerate(days)
            for tall in [max(1, round(HEIGHT * number / largest))]
        ),
    )
    about = "; ".join(f"{date_format(day)}: {_number(number)}" for day, number in (days[0], days[-1])) if days else ""
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="chart-title chart-about">'
        '<title id="chart-title">{}</title><desc id="chart-about">{}</desc>{}'
        '<line x1="0" x2="{}" y1="{}" y2="{}"></line></svg>',
        width,
        HEIGHT + 1,
        title,
        about,
        drawn,
        width,
        HEIGHT + 0.5,
        HEIGHT + 0.5,
    )


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)

"""Background work of uploads."""

from typing import Final

from django.db import transaction

from packhouse.projects.models import Description
from packhouse.purge.actions import forget
from packhouse.queue import background
from packhouse.uploads.rendering import RenderingFailed, render, renderer

AT_ONCE: Final = 200


@background("heavy", attempts=3, unique=True, time_limit=3600)
def render_again() -> None:
    """Render some of those descriptions that an older renderer made.  Safe to run twice.

    One that no longer renders is shown as it was written.
    """
    current = renderer()
    found = Description.objects.select_related("release__project")
    before, after = found.filter(renderer__lt=current)[:AT_ONCE], found.filter(renderer__gt=current)[:AT_ONCE]
    for description in [*before, *after][:AT_ONCE]:
        try:
            html = render(description.raw, description.content_type)
        except RenderingFailed:
            html = ""
        with transaction.atomic():
            Description.objects.filter(pk=description.pk, raw=description.raw).update(html=html, renderer=current)
            forget([f"project/{description.release.project.normalized_name}"] if html != description.html else [])

"""API tokens that are used beside a trusted publisher: the secrets that trusted publishing was to make superfluous.

Looked for in the trail of the last hour, so that no upload takes longer for it.  One letter for each token and project.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.projects.models import File, Project
from packhouse.publishers import emails
from packhouse.tokens.models import Token

LOOKED_AT: Final = timedelta(hours=1)


def tell_of_tokens() -> None:
    """Tell the collaborators of tokens that were lately used although a publisher is trusted.  Safe to run twice."""
    used = set(_used())
    tokens = Token.objects.select_related("user").in_bulk({token for token, _ in used})
    projects = Project.objects.filter(publisher_links__isnull=False).in_bulk({project for _, project in used})
    for token_id, project_id in sorted(used, key=str):
        token, project = tokens.get(token_id), projects.get(project_id)
        if token is not None and project is not None:
            with transaction.atomic():
                emails.token_used(project, token)


def _used() -> Iterator[tuple[UUID, int]]:
    """Tokens, and the projects that files were published in with them; publishers have no number of a user."""
    events = Event.objects.filter(tag="file:add", at__gte=clock.now() - LOOKED_AT, actor_id__isnull=False)
    published = {int(number): token for number, token in events.values_list("subject_id", "token") if token}
    for number, file in File.objects.only("project_id").in_bulk(published).items():
        yield published[number], file.project_id

"""Which links and addresses in a release's metadata the index can vouch for."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from django.db.models import Q

from packhouse.accounts.models import User
from packhouse.organizations.models import MemberRole
from packhouse.projects.models import Project
from packhouse.specs import emails, urls
from packhouse.specs.metadata import CoreMetadata


def verified_links(metadata: CoreMetadata, public_url: str, source: str = "") -> list[str]:
    """The links in *metadata* that lead to this project on this very index, as they are spelled there.

    And those that lead below *source*, the address where everything is the trusted publisher's that has uploaded.
    """
    return sorted(
        {
            url
            for url in _links(metadata)
            if urls.is_self_link(url, public_url, metadata.name)
            or (source and urls.is_at_or_below(url.removesuffix(".git"), source, ignore_case=True))
        }
    )


def verified_addresses(metadata: CoreMetadata, project: Project) -> list[str]:
    """The author's and maintainer's address, where a collaborator publishes it as a verified one of theirs.

    Collaborators are owners, maintainers, and the owners of the project's organization.
    """
    named = {emails.first_address(text) for text in (metadata.author_email, metadata.maintainer_email) if text}
    if not named:
        return []
    ways = Q(roles__project=project)
    if project.organization_id is not None:
        ways |= Q(memberships__organization=project.organization_id, memberships__role=MemberRole.OWNER)
    public = set(User.objects.filter(ways).exclude(public_email="").values_list("pk", "public_email"))
    verified = EmailAddress.objects.filter(user__in=[user for user, _ in public], verified=True)
    proved = public & set(verified.values_list("user", "email"))
    return sorted({address for _, address in proved if address in named})


def _links(metadata: CoreMetadata) -> Iterator[str]:
    yield from (metadata.home_page, metadata.download_url)
    yield from (url for _, url in metadata.project_urls)

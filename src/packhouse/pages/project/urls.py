"""Routes of a project's pages.  A missing slash at the end is put right together with the spelling, in one hop."""

from django.urls import URLPattern, re_path

from packhouse.pages.project import inside, views

NAME = r"^project/(?P<name>[^/]{1,200})"
VERSION = r"/(?P<version>[^/]{1,200})"
TABS = {
    "files": views.files,
    "releases": views.releases,
    "dependencies": views.dependencies,
    "security": views.security,
    "changes": views.changes,
}


def _routes() -> list[URLPattern]:
    """No version is spelled like a tab: they all begin with a digit or a ``v`` and a digit."""
    tabs = [re_path(rf"{NAME}/{tab}/?$", view, name=f"project-{tab}") for tab, view in TABS.items()]
    of_release = [re_path(rf"{NAME}{VERSION}/{tab}/?$", view, name=f"release-{tab}") for tab, view in TABS.items()]
    return [
        re_path(rf"{NAME}/?$", views.description, name="project"),
        *tabs,
        *of_release,
        re_path(rf"{NAME}{VERSION}/inspect/(?P<filename>[^/]+)/?$", inside.listing, name="inspect"),
        re_path(rf"{NAME}{VERSION}/inspect/(?P<filename>[^/]+)/(?P<path>.+)$", inside.member, name="inspect-file"),
        re_path(rf"{NAME}{VERSION}/?$", views.description, name="release"),
    ]


urlpatterns = _routes()

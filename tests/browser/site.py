"""The pages of the public site."""

from tests.browser.driving import Listed
from tests.builders import make_wheel
from tests.factories.accounts import make_user
from tests.factories.organizations import make_organization
from tests.factories.projects import make_project
from tests.pages import shelves


def crates(path="/project/crates/"):
    """The address *path*, of a project that is there when it is opened."""

    def make():
        shelves.crates()
        return path

    return make


def inside(path=""):
    """A wheel whose members can be looked at, or one of them."""

    def make():
        source = b'"""Crates."""\n\nimport math\n\n\ndef pack(n: int) -> float:  # carefully\n    return math.sqrt(n)\n'
        files = {"crates/__init__.py": source, "crates/py.typed": b"", "crates/data.bin": b"\0\1"}
        name, content = make_wheel("crates", "1.0", files=files)
        shelves.publish(make_project("crates"), "1.0", name, content)
        return f"/project/crates/1.0/inspect/{name}/{path}"

    return make


def in_state(status="active", **release):
    """A project in *status*, whose only release is as *release* says."""

    def make():
        project = make_project("crates", status=status)
        file = shelves.publish(project, "1.0", "crates-1.0.tar.gz", b"crates")
        type(file.release).objects.filter(pk=file.release_id).update(**release)
        return "/project/crates/"

    return make


def vulnerable(path):
    """The address *path*, of a project of which a list names vulnerabilities, some of them withdrawn."""

    def make():
        shelves.crates()
        shelves.vulnerabilities()
        return path

    return make


def organization():
    """An organization, with what it publishes."""
    from packhouse.projects import belonging

    about = "Boxes, barrels and crates for everything that has to be packed, since 1843."
    acme = make_organization("acme", owner=make_user("packer"), description=about, link_url="https://acme.example/")
    belonging.move_project(by=None, project=shelves.crates(), organization=acme)
    shelves.publish(make_project("barrels", organization=acme), "0.3", "barrels-0.3.tar.gz", b"barrels")
    return "/org/acme/"


def attested(path):
    """The address *path*, of a project whose files say where they come from."""

    def make():
        shelves.attested()
        return path

    return make


def _unfold(page):
    page.locator("summary", has_text="crates/crates").first.click()
    page.get_by_text("refs/tags").or_(page.get_by_text("release", exact=True)).first.wait_for()


def reading():
    """Somebody who may see what a profile shows to those who are signed in."""
    make_user("packer", name="Ada Packer", public_email="packer@users.example")
    return make_user("reader")


def _completed(page):
    page.goto("/_personal/")  # now the browser knows that somebody is signed in
    page.goto("/user/packer/")
    page.get_by_role("link", name="packer@users.example").wait_for()


PAGES = [
    Listed("home", crates("/")),
    Listed("home-empty", "/"),
    Listed("project", crates()),
    Listed("project-yanked", crates("/project/crates/1.1/")),
    Listed("project-files", crates("/project/crates/files/")),
    Listed("project-releases", crates("/project/crates/releases/")),
    Listed("project-dependencies", crates("/project/crates/dependencies/")),
    Listed("project-changes", crates("/project/crates/1.4.0/changes/")),
    Listed("project-security", crates("/project/crates/security/")),
    Listed("project-vulnerable", vulnerable("/project/crates/")),
    Listed("project-vulnerable-releases", vulnerable("/project/crates/releases/")),
    Listed("project-vulnerable-security", vulnerable("/project/crates/1.2.0/security/")),
    Listed("project-not-vulnerable-security", vulnerable("/project/crates/2.0rc1/security/")),
    Listed("project-provenance", attested("/project/crates/")),
    Listed("project-provenance-file", attested("/project/crates/1.2.0/files/"), then=_unfold),
    Listed("project-provenance-security", attested("/project/crates/1.2.0/security/")),
    Listed("project-provenance-changed", attested("/project/crates/security/")),
    Listed("project-provenance-lost", attested("/project/crates/2.0rc1/security/")),
    Listed("project-inside", inside()),
    Listed("project-folder", inside("crates/")),
    Listed("project-source", inside("crates/__init__.py")),
    Listed("project-binary", inside("crates/data.bin")),
    Listed("project-quarantined", in_state("quarantined")),
    Listed("project-held", in_state(quarantined=True)),
    Listed("project-archived", in_state("archived")),
    Listed("profile", crates("/user/crates-packer/")),
    Listed("organization", organization),
    Listed("profile-reader", "/user/packer/", reading, _completed),
    Listed("classifiers", "/classifiers/"),
    Listed("stats", crates("/stats/")),
    Listed("help", "/help/"),
    Listed("security", "/security/"),
    Listed("trademarks", "/trademarks/"),
    Listed("sitemap", "/sitemap/"),
]

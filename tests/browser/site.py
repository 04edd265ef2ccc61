"""The pages of the public site."""

from tests.browser.driving import Listed
from tests.builders import make_wheel
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
        name, content = make_wheel("crates", "1.0", files={"crates/__init__.py": source, "crates/py.typed": b""})
        shelves.publish(make_project("crates"), "1.0", name, content)
        return f"/project/crates/1.0/inspect/{name}/{path}"

    return make


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
    Listed("project-inside", inside()),
    Listed("project-source", inside("crates/__init__.py")),
    Listed("profile", crates("/user/crates-packer/")),
    Listed("classifiers", "/classifiers/"),
    Listed("stats", crates("/stats/")),
    Listed("help", "/help/"),
    Listed("security", "/security/"),
    Listed("trademarks", "/trademarks/"),
    Listed("sitemap", "/sitemap/"),
]

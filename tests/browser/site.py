"""The pages of the public site."""

from tests.browser.driving import Listed
from tests.pages import shelves


def crates(path="/project/crates/"):
    """The address *path*, of a project that is there when it is opened."""

    def make():
        shelves.crates()
        return path

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
    Listed("profile", crates("/user/crates-packer/")),
    Listed("classifiers", "/classifiers/"),
    Listed("stats", crates("/stats/")),
    Listed("help", "/help/"),
    Listed("security", "/security/"),
    Listed("trademarks", "/trademarks/"),
    Listed("sitemap", "/sitemap/"),
]

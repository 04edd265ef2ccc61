"""From ``packhouse serve`` on an empty folder to packages that are published and installed, as a person does it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import PATIENCE
from tests.builders import make_wheel
from tests.factories.factors import code_of
from tests.journeys.clients import Client, client
from tests.servers import packhouse

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PASSWORD = "wild horses on a green hill"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[packhouse.Running]:
    """An index that nobody has used yet."""
    with packhouse.running(tmp_path / "home", migrates=True) as index:
        yield index


@pytest.fixture
def page(chromium: Browser, index: packhouse.Running) -> Iterator[Page]:
    with chromium.new_context(base_url=index.url, permissions=["clipboard-read", "clipboard-write"]) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def press(page: Page, name: str, role: str = "button") -> None:
    """Press what leads to another page."""
    with page.expect_navigation():
        page.locator("main").get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]


def make_administrator(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    press(page, "Create the administrator")


def describe_the_index(page: Page, mail: str) -> None:
    """Fill in the settings; the page then waits until the server is back."""
    page.get_by_label("Name of this index").fill("Acme Packages")
    page.get_by_label("Those whom you invite").check()
    page.get_by_label("Mail").fill(mail)
    press(page, "Save and go on")
    expect(page.get_by_role("heading", level=1)).to_have_text("Packhouse starts again")
    page.wait_for_url("**/manage/account/two-factor/**")


def add_second_factor(page: Page) -> None:
    press(page, "Set up an authenticator app", "link")
    secret = page.locator("main [data-copyable]").first.get_attribute("data-copyable") or ""
    page.get_by_label("Code").fill(code_of(secret))
    press(page, "Set up the app")
    press(page, "Make recovery codes")
    press(page, "I have stored them", "link")


def copied(page: Page) -> dict[str, str]:
    """What the copy buttons put into the clipboard, by the file that it is for (or its first word)."""
    texts = {}
    for snippet in page.locator("figure.snippet").all():
        button = snippet.locator("[data-copy]")
        button.click()
        expect(button).to_have_class(re.compile(r"\bdone\b"))
        text = page.evaluate("navigator.clipboard.readText()")
        place = snippet.locator("figcaption")
        texts[place.inner_text() if place.count() else text.split()[0]] = text
    return texts


def equip(client: Client, name: str, text: str) -> None:
    """Write a client's configuration where it looks for it."""
    path = client.home / name.removeprefix("~/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def twine_upload(twine: Client, command: str, version: str) -> tuple[int, str]:
    """Run the copied *command* in a folder with the wheel of that version; exit status and what was printed."""
    name, content = make_wheel("demo", version)
    folder = twine.home / version
    (folder / "dist").mkdir(parents=True)
    (folder / "dist" / name).write_bytes(content)
    program, *arguments = command.strip().replace("dist/*", f"dist/{name}").split()
    done = twine.run(program, "--no-color", *arguments, cwd=folder, check=False)
    return done.returncode, done.stdout


def test_an_empty_folder_becomes_an_index_that_is_published_to(
    page: Page, index: packhouse.Running, tmp_path: Path
) -> None:
    twine, pip, uv = (client(name, tmp_path / name) for name in ("twine", "pip", "uv"))
    found = re.search(rf"{index.url}/setup/\S+", index.printed())
    assert found, index.printed()
    make_administrator(page, found[0])
    describe_the_index(page, f"file://{tmp_path}/letters")
    add_second_factor(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Tell your clients")
    press(page, "Make a token and put it in")
    texts = copied(page)

    # Everything is used as it was copied.
    equip(twine, "~/.pypirc", texts["~/.pypirc"])
    status, printed = twine_upload(twine, texts["twine"], "1.0")
    assert status == 0, printed
    equip(pip, "~/.config/pip/pip.conf", texts["~/.config/pip/pip.conf"])
    settings = {"PIP_CONFIG_FILE": str(pip.home / ".config/pip/pip.conf")}
    pip.run("pip", "install", "--target", "by-pip", "demo", env=settings)
    assert (pip.home / "by-pip/demo-1.0.dist-info").is_dir()
    equip(uv, "uv.toml", texts["uv.toml"])
    uv.run("uv", "pip", "install", "--target", "by-uv", "demo", env={"UV_NO_CONFIG": "false"})
    assert (uv.home / "by-uv/demo-1.0.dist-info").is_dir()

    # A token that is deleted publishes nothing more, and twine says why.
    page.goto("/manage/account/token/")
    page.get_by_role("link", name="Delete First token").click()
    page.get_by_label("Type “First token” to confirm").fill("First token")
    with page.expect_navigation():
        page.get_by_role("button", name="Delete the token").click()
    status, printed = twine_upload(twine, texts["twine"], "1.1")
    assert status == 1
    assert "403 Forbidden" in printed
    assert "The token does not exist (any more)" in printed

    # What was set at the beginning holds.
    expect(page.locator(".brand")).to_have_text("Acme Packages")
    page.goto("/console/invitations/")
    expect(page.get_by_text("Only people with an invitation can register.")).to_be_visible()
    assert list((tmp_path / "letters").rglob("*.eml"))

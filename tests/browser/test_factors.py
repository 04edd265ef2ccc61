"""Second factors as people use them: from the first run to a token that is taken back, with a virtual authenticator."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.driving import assert_accessible, assert_fits, press
from tests.browser.pages import first_link
from tests.builders import make_wheel
from tests.factories.accounts import make_user
from tests.factories.factors import code_of, make_app
from tests.journeys.clients import client

from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.tokens.models import Token

pytestmark = pytest.mark.browser
PASSWORD = "wild horses on a green hill"
PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
SECURITY_KEY = PASSKEY | {"transport": "usb", "hasResidentKey": False, "hasUserVerification": False}


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], site: str, settings: Any) -> Page:
    """A browser on the same site under a name, since browsers offer no keys under an IP address."""
    url = site.replace("127.0.0.1", "localhost")
    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url=url)
    return new_context(viewport={"width": 1280, "height": 800}, base_url=url).new_page()


def plug_in(page: Page, **options: Any) -> None:
    """Give the browser of *page* an authenticator."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def log_in(page: Page, user: str) -> None:
    page.goto("/account/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page.get_by_role("button", name="Sign in", exact=True))


def log_out(page: Page) -> None:
    page.goto("/account/logout/")
    press(page.locator("main").get_by_role("button").first)


def is_in(page: Page) -> bool:
    page.goto("/manage/account/history/")
    return "/login/" not in page.url


def add_key(page: Page, name: str, kind: str) -> None:
    page.goto("/manage/account/two-factor/keys/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label(kind).check()
    page.get_by_role("button", name="Register the key").click()
    page.wait_for_url(lambda url: "/keys/add/" not in url)


def upload(page: Page, token: str, wheel: tuple[str, bytes], folder: Path) -> subprocess.CompletedProcess[str]:
    """Upload with twine to the site that *page* is on."""
    twine = client("twine", folder / "home")
    path = folder / wheel[0]
    path.write_bytes(wheel[1])
    site = urlsplit(page.url)
    where = ("--repository-url", f"{site.scheme}://{site.netloc}/legacy/", "--username", "__token__")
    return twine.run("twine", "upload", "--verbose", *where, path, env={"TWINE_PASSWORD": token}, check=False)


@pytest.mark.timeout(400)
def test_from_the_first_run_to_a_token_that_is_taken_back(page: Page, tmp_path: Path) -> None:
    page.goto(first_link())
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    press(page.get_by_role("button", name="Create the administrator"))
    press(page.get_by_role("link", name="Leave everything as it is"))

    # Clients and tokens come after a second factor: an authenticator app.
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication")
    press(page.get_by_role("link", name="Set up an authenticator app"))
    assert page.locator("img.qr-code").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    secret = page.locator("main [data-copyable]").first.get_attribute("data-copyable") or ""
    page.get_by_label("Code").fill(code_of(secret))
    press(page.get_by_role("button", name="Set up the app"))

    # Recovery codes, saved as a file, then where the first run left off.
    press(page.get_by_role("button", name="Make recovery codes"))
    codes = page.locator(".codes [role=listitem]").all_inner_texts()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a file").click()
    assert saved.value.path().read_text().split() == codes
    press(page.get_by_role("link", name="I have stored them"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tell your clients")

    # A passkey, and signing in with nothing else.
    plug_in(page, **PASSKEY)
    add_key(page, "Laptop", "Passkey")
    expect(page.get_by_role("row", name="Laptop")).to_contain_text("Passkey")
    log_out(page)
    assert not is_in(page)
    page.goto("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/login/" not in url)
    assert is_in(page)

    # A token for uploading, which works until it is deleted.
    page.goto("/manage/account/token/create/")
    page.get_by_label("Name", exact=True).fill("release job")
    page.get_by_label("The whole account").check()
    press(page.get_by_role("button", name="Create the token"))
    token = page.locator(".token-text code").inner_text()
    assert upload(page, token, make_wheel("demo", "1.0"), tmp_path).returncode == 0
    page.goto("/manage/account/token/")
    expect(page.get_by_role("row", name="release job")).to_contain_text("the whole account")
    page.get_by_role("link", name="Delete release job").click()  # opens a dialog
    page.get_by_label("Type “release job” to confirm").fill("release job")
    press(page.get_by_role("button", name="Delete the token"))
    expect(page.get_by_text("The token “release job” is deleted.")).to_be_visible()
    refused = upload(page, token, make_wheel("demo", "1.1"), tmp_path)
    assert refused.returncode == 1
    assert "403" in refused.stdout
    assert not Token.objects.exists()

    # And all of it stands in the history.
    page.goto("/manage/account/history/")
    for words in ("The API token “release job” was deleted.", "Signed in: passkey", "Recovery codes were made."):
        expect(page.get_by_text(words).first).to_be_visible()


@pytest.fixture
def ada() -> User:
    return make_user("ada", password=PASSWORD, two_factor=False)


def confirm_browser(page: Page) -> None:
    """Follow the link in the letter that a code on a new browser asks for."""
    from tests.accounts.visitor import link_in

    page.goto(link_in("unrecognized-login"))
    press(page.locator("main").get_by_role("button").first)


def test_a_code_lets_in_once_and_the_browser_is_remembered(page: Page, ada: User) -> None:
    secret = make_app(ada)
    log_in(page, "ada")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Code").fill("000000")
    press(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_text("This is not right, or was used before.").first).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_label("Remember this browser for 30 days").check()
    press(page.get_by_role("button", name="Sign in"))
    confirm_browser(page)
    assert is_in(page)
    log_out(page)
    log_in(page, "ada")
    assert is_in(page)  # without a second factor
    assert Event.objects.filter(tag="two_factor:device_remembered").count() == 1

    make_app(ada)  # another app: what was remembered is void
    log_out(page)
    log_in(page, "ada")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")


def test_a_security_key_lets_in_after_the_password_and_not_alone(page: Page, ada: User) -> None:
    make_app(ada)
    plug_in(page, **SECURITY_KEY)
    log_in_with_app(page, ada)
    add_key(page, "Ring", "Security key")
    press(page.get_by_role("button", name="Make recovery codes"))
    log_out(page)
    log_in(page, "ada")
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.wait_for_url(lambda url: "two-factor" not in url)
    assert is_in(page)
    assert Event.objects.filter(tag="login:success", additional__two_factor_method="webauthn").count() == 1


def log_in_with_app(page: Page, user: User) -> None:
    """Sign in with a fresh app, as somebody whose browser is known."""
    secret = make_app(user)
    log_in(page, user.username)
    page.get_by_label("Code").fill(code_of(secret))
    press(page.get_by_role("button", name="Sign in"))
    confirm_browser(page)


def test_another_factor_ends_all_other_sessions(
    page: Page, ada: User, new_context: Callable[..., BrowserContext]
) -> None:
    make_app(ada)
    log_in_with_app(page, ada)
    other = new_context(base_url=page.url[: page.url.index("/", 8)]).new_page()
    log_in_with_app(other, ada)
    assert is_in(page)
    plug_in(page, **PASSKEY)
    add_key(page, "Laptop", "Passkey")
    assert is_in(page)
    assert not is_in(other)

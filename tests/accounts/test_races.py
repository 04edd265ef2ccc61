"""The same link, or the same guess, many times at once and to two server processes: what may happen once does."""

import email
import email.policy
import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import pytest
from tests.factories.factors import Device, code_of
from tests.servers import packhouse

pytestmark = pytest.mark.slow
PASSWORD = "correct horse battery staple"
AT_ONCE = 32
WIDE = {
    f"PACKHOUSE_{name}": "10000 per day"
    for name in ("SECOND_FACTOR_LIMIT_USER", "SECOND_FACTOR_LIMIT_ADDRESS", "EMAIL_ADD_LIMIT")
}
"""Limits that do not stand in for what is tried here."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[packhouse.Running]:
    database = None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database("account_races")
    home = tmp_path_factory.mktemp("races")
    with packhouse.running(home, database=database, workers=2, env=WIDE) as index:
        password = index.home / "password"
        password.write_text(PASSWORD)
        for name in ("ada", "hopper", "lovelace", "turing"):
            address = f"{name}@b.example"
            index.run_cli("user", "create", name, "--email", address, "--password-file", str(password), "--verified")
        yield index


class Browser:
    """A browser with cookies, of which each request takes a connection of its own."""

    def __init__(self, url: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.led_to = ""

    def get(self, path: str) -> str:
        """Opens a page and keeps its form's token."""
        status, page = self._ask("GET", path, None)
        assert status == 200, (status, page)
        if match := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page):
            self.token = match[1]
        return page

    def post(self, path: str, **form: str) -> int:
        return self._send(path, form)[0]

    def read_post(self, path: str, **form: str) -> str:
        """Posts a form and returns the page that answers it."""
        status, page = self._send(path, form)
        assert status == 200, (status, page)
        return page

    def _send(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        return self._ask("POST", path, urlencode(form | {"csrfmiddlewaretoken": self.token}))

    def log_in(self, username: str) -> int:
        self.get("/account/login/")
        return self.post("/account/login/", username=username, password=PASSWORD)

    def is_in(self) -> bool:
        """Whether it has a session that works."""
        return self._ask("GET", "/manage/account/sessions/", None)[0] == 200

    def copy(self) -> "Browser":
        """One more with the same cookies."""
        one = Browser(f"http://{self.netloc}")
        one.cookies, one.token = dict(self.cookies), self.token
        return one

    def post_many(self, path: str, **form: str) -> Counter[int]:
        """Posts the same ``AT_ONCE`` times at once; how often each status was answered."""
        return all_post([self.copy() for _ in range(AT_ONCE)], path, lambda _number: form)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        self.led_to = answer.headers.get("Location", "")
        connection.close()
        return answer.status, page


def all_post(browsers: list[Browser], path: str, form: Callable[[int], dict[str, str]]) -> Counter[int]:
    """Each browser posts its *form* to *path*, all at once; how often each status was answered."""
    statuses: list[int] = []
    start = threading.Barrier(len(browsers))

    def post(number: int, browser: Browser) -> None:
        start.wait()
        statuses.append(browser.post(path, **form(number)))

    threads = [threading.Thread(target=post, args=item) for item in enumerate(browsers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


def links_to(index: packhouse.Running, address: str, path: str) -> set[str]:
    """The links to *path* in the letters to *address* that are in the outbox."""
    found = set()
    for file in (index.home / "outbox").rglob("*.eml"):
        letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = letter.get_body(("plain",))
        if letter["To"] == address and body and (match := re.search(rf"{path}\S+", body.get_content())):
            found.add(match[0])
    return found


def link_to(index: packhouse.Running, address: str, path: str, *, but: Collection[str] = ()) -> str:
    """A link that is not one of *but*, as soon as there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := links_to(index, address, path) - set(but):
            return found.pop()
        time.sleep(0.1)
    raise AssertionError(f"no letter to {address} with a link to {path}")


def test_a_reset_link_sets_one_password(index: packhouse.Running) -> None:
    browser = Browser(index.url)
    browser.get("/account/request-password-reset/")
    assert browser.post("/account/request-password-reset/", username_or_email="ada") == 200
    link = link_to(index, "ada@b.example", "/account/reset-password/")
    browser.get(link)
    answers = browser.post_many(link, password="another phrase with many words")
    assert answers == {302: 1, 400: AT_ONCE - 1}


def test_a_verification_link_verifies_once(index: packhouse.Running) -> None:
    browser = Browser(index.url)
    browser.get("/account/register/")
    form = {"username": "grace", "email": "grace@b.example", "password": PASSWORD}
    assert browser.post("/account/register/", **form) == 302
    link = link_to(index, "grace@b.example", "/account/verify-email/")
    browser.get(link)
    assert browser.post_many(link) == {302: 1, 400: AT_ONCE - 1}


def test_a_user_name_is_given_once(index: packhouse.Running) -> None:
    browser = Browser(index.url)
    browser.get("/account/register/")
    answers = browser.post_many("/account/register/", username="alan", email="alan@b.example", password=PASSWORD)
    assert answers[302] == 1
    assert set(answers) <= {200, 302, 429}


def test_an_invitation_makes_one_account(index: packhouse.Running) -> None:
    link = index.run_cli("user", "invite", "guest@b.example").stdout.strip().removeprefix(index.url)
    browsers = [Browser(index.url) for _ in range(AT_ONCE)]
    for browser in browsers:
        browser.get(link)

    def form(number: int) -> dict[str, str]:
        return {"username": f"guest-{number}", "email": f"guest-{number}@b.example", "password": PASSWORD}

    assert all_post(browsers, link, form) == {302: 1, 200: AT_ONCE - 1}


@pytest.fixture(scope="module")
def factors(index: packhouse.Running) -> tuple[str, list[str]]:
    """The secret of the user ``hopper``'s authenticator app, and her recovery codes."""
    browser = Browser(index.url)
    assert browser.log_in("hopper") == 302
    page = browser.get("/manage/account/two-factor/app/")
    secret = re.search(r"\b[A-Z2-7]{32}\b", page)
    assert secret, page
    assert browser.post("/manage/account/two-factor/app/", code=code_of(secret[0], steps=-1)) == 302
    browser.get("/manage/account/two-factor/recovery-codes/")
    codes = re.findall(r">([0-9a-f]{16})<", browser.read_post("/manage/account/two-factor/recovery-codes/"))
    return secret[0], codes


def half_way_in(index: packhouse.Running) -> list[Browser]:
    """As many browsers as are to try at once, each asked for a second factor of ``hopper``."""
    browsers = [Browser(index.url) for _ in range(AT_ONCE)]
    for browser in browsers:
        assert browser.log_in("hopper") == 302
        browser.get("/account/two-factor/")
    return browsers


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_lets_one_browser_in_and_the_letter_confirms_it_once(
    index: packhouse.Running, factors: tuple[str, list[str]], kind: str
) -> None:
    former = links_to(index, "hopper@b.example", "/account/confirm-login/")
    browsers = half_way_in(index)
    code = code_of(factors[0]) if kind == "app" else factors[1][0]
    assert all_post(browsers, "/account/two-factor/", lambda _number: {"code": code}) == {302: 1, 200: AT_ONCE - 1}
    waiting = next(browser for browser in browsers if browser.led_to == "/account/confirm-login/")
    link = link_to(index, "hopper@b.example", "/account/confirm-login/", but=former)
    waiting.get(link)
    assert waiting.post_many(link) == {302: 1, 400: AT_ONCE - 1}


def test_a_deleted_account_is_restored_once(index: packhouse.Running) -> None:
    browser = Browser(index.url)
    assert browser.log_in("lovelace") == 302
    browser.get("/manage/account/delete/")
    assert browser.post("/manage/account/delete/", confirmation="lovelace") == 302
    link = link_to(index, "lovelace@b.example", "/account/restore/")
    browser = Browser(index.url)
    browser.get(link)
    assert browser.post_many(link) == {302: 1, 400: AT_ONCE - 1}
    assert browser.log_in("lovelace") == 302


@pytest.fixture(scope="module")
def key(index: packhouse.Running) -> Device:
    """The passkey of the user ``turing``."""
    device = Device(party="127.0.0.1")
    browser = Browser(index.url)
    assert browser.log_in("turing") == 302
    browser.get("/manage/account/two-factor/keys/add/")
    asked = json.loads(browser.read_post("/manage/account/two-factor/keys/options/passkey/"))
    credential = device.registration(asked["publicKey"]["challenge"], index.url)
    form = {"label": "Laptop", "kind": "passkey", "credential": credential}
    assert browser.post("/manage/account/two-factor/keys/add/", **form) == 302
    return device


def answered(browser: Browser, key: Device, path: str, counter: int) -> list[Browser]:
    """As many browsers as are to try at once have sent the same signed answer; those that it let in."""
    asked = json.loads(browser.read_post(f"{path}options/"))
    answer = key.answer(asked["publicKey"]["challenge"], f"http://{browser.netloc}", counter=counter)
    browsers = [browser.copy() for _ in range(AT_ONCE)]
    all_post(browsers, path, lambda _number: {"answer": answer})
    return [one for one in browsers if one.is_in()]


@pytest.mark.parametrize("counter", [0, 7])
def test_what_a_key_has_signed_lets_one_browser_in(index: packhouse.Running, key: Device, counter: int) -> None:
    browser = Browser(index.url)
    assert browser.log_in("turing") == 302
    browser.get("/account/two-factor/")
    assert len(answered(browser, key, "/account/two-factor/", counter)) == 1


def test_what_a_passkey_has_signed_lets_one_browser_in(index: packhouse.Running, key: Device) -> None:
    browser = Browser(index.url)
    browser.get("/account/login/")
    assert len(answered(browser, key, "/account/passkey/", counter=8)) == 1


def test_guesses_at_once_are_no_more_than_guesses_in_a_row(index: packhouse.Running) -> None:
    # last: it uses up what the address of all these tests may fail
    browser = Browser(index.url)
    browser.get("/account/login/")
    answers = browser.post_many("/account/login/", username="eve", password="a guess")
    assert answers == {200: 10, 429: AT_ONCE - 10}

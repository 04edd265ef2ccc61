"""The same link, or the same guess, many times at once and to two server processes: what may happen once does."""

import email
import email.policy
import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import pytest
from tests.servers import packhouse

pytestmark = pytest.mark.slow
PASSWORD = "correct horse battery staple"
AT_ONCE = 32


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[packhouse.Running]:
    database = None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database("account_races")
    with packhouse.running(tmp_path_factory.mktemp("races"), database=database, workers=2) as index:
        password = index.home / "password"
        password.write_text(PASSWORD)
        index.run_cli(
            "user", "create", "ada", "--email", "ada@b.example", "--password-file", str(password), "--verified"
        )
        yield index


class Browser:
    """A browser with cookies, of which each request takes a connection of its own."""

    def __init__(self, url: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.cookies: dict[str, str] = {}
        self.token = ""

    def get(self, path: str) -> str:
        """Opens a page and keeps its form's token."""
        status, page = self._ask("GET", path, None)
        assert status == 200, (status, page)
        if match := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page):
            self.token = match[1]
        return page

    def post(self, path: str, **form: str) -> int:
        return self._ask("POST", path, urlencode(form | {"csrfmiddlewaretoken": self.token}))[0]

    def post_many(self, path: str, **form: str) -> Counter[int]:
        """Posts the same ``AT_ONCE`` times at once; how often each status was answered."""
        statuses: list[int] = []
        start = threading.Barrier(AT_ONCE)

        def post() -> None:
            one = Browser(f"http://{self.netloc}")
            one.cookies, one.token = dict(self.cookies), self.token
            start.wait()
            statuses.append(one.post(path, **form))

        threads = [threading.Thread(target=post) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Counter(statuses)

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
        connection.close()
        return answer.status, page


def link_to(index: packhouse.Running, address: str, path: str) -> str:
    """The link to *path* in a letter to *address*, as soon as one is in the outbox."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in (index.home / "outbox").rglob("*.eml"):
            letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            body = letter.get_body(("plain",))
            if letter["To"] == address and body and (match := re.search(rf"{path}\S+", body.get_content())):
                return match[0]
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


def test_guesses_at_once_are_no_more_than_guesses_in_a_row(index: packhouse.Running) -> None:
    browser = Browser(index.url)
    browser.get("/account/login/")
    answers = browser.post_many("/account/login/", username="eve", password="a guess")
    assert answers == {200: 10, 429: AT_ONCE - 10}

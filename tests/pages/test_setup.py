"""The first run in the browser."""

import os
import re
import signal
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from django.test import Client
from tests.factories.accounts import make_user
from tests.servers import packhouse

from packhouse import config
from packhouse.accounts.actions import PROVED_AT
from packhouse.accounts.models import User
from packhouse.base import home as homes
from packhouse.pages.setup.clients import snippets

PASSWORD = "wild horses on a green hill"
ACCOUNT = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "repeated": PASSWORD}


@pytest.fixture
def home(tmp_path: Path, settings) -> Path:
    homes.prepare(tmp_path)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, home=tmp_path)
    return tmp_path


def signed_in(user: User) -> Client:
    """A browser in which *user* has just typed the password."""
    browser = Client()
    browser.force_login(user)
    session = browser.session
    session[PROVED_AT] = time.time()
    session.save()
    return browser


@pytest.mark.django_db
def test_the_link_makes_one_administrator_who_is_signed_in_and_is_dead_then(home: Path) -> None:
    link, browser = f"/setup/{homes.new_setup_token(home)}", Client()
    assert browser.get(link).status_code == 200
    assert browser.post(link, ACCOUNT)["Location"] == "/setup/"
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.check_password(PASSWORD)) == ("ada", True, True)
    assert browser.get("/setup/").status_code == 200
    assert [Client().get(link).status_code, Client().post(link, ACCOUNT | {"username": "eve"}).status_code] == [
        410,
        410,
    ]
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"password": "12345678"}, {"repeated": "other"}, {"email": "ada"}, {"username": "-ada"}], ids=str
)
def test_the_link_lives_on_after_a_mistake(home: Path, change: dict[str, str]) -> None:
    link = f"/setup/{homes.new_setup_token(home)}"
    assert Client().post(link, ACCOUNT | change).status_code == 200
    assert not User.objects.exists()
    assert Client().post(link, ACCOUNT).status_code == 302


@pytest.mark.django_db
def test_a_link_is_dead_where_it_was_replaced_and_where_there_is_somebody(home: Path) -> None:
    former, present = homes.new_setup_token(home), homes.new_setup_token(home)
    assert Client().get(f"/setup/{former}").status_code == 410
    assert Client().get(f"/setup/{present}").status_code == 200
    make_user()
    assert Client().get(f"/setup/{present}").status_code == 410
    assert Client().post(f"/setup/{present}", ACCOUNT).status_code == 410


@pytest.mark.django_db
def test_settings_are_written_beside_the_operators_comments(home: Path) -> None:
    (home / "packhouse.toml").write_text('# Do not touch.\nworkers = 4  # all cores\nsite_name = "Old"\n')
    browser = signed_in(make_user(is_superuser=True))
    form = {"site_name": "Acme Packages", "public_url": "https://packages.acme.example", "registration": "closed"}
    assert browser.post("/setup/", form | {"mail": ""})["Location"] == "/setup/clients/"
    written = (home / "packhouse.toml").read_text()
    assert written.startswith("# Do not touch.\nworkers = 4  # all cores\n")
    assert tomllib.loads(written)["public_url"] == "https://packages.acme.example"
    reading = config.read({"home": home}, {})
    assert (reading.config.site_name, reading.config.workers) == ("Acme Packages", 4)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"public_url": "packages"}, {"mail": "gopher://x"}, {"public_url": ""}], ids=str)
def test_settings_that_cannot_be_used_are_not_written(home: Path, wrong: dict[str, str]) -> None:
    browser = signed_in(make_user(is_superuser=True))
    form = {"site_name": "A", "public_url": "https://a.example", "registration": "open", "mail": ""}
    assert browser.post("/setup/", form | wrong).status_code == 200
    assert not (home / "packhouse.toml").exists()


@pytest.mark.django_db
def test_nobody_but_an_administrator_changes_settings() -> None:
    browser = signed_in(make_user())
    assert browser.get("/setup/").status_code == 403
    assert Client().get("/setup/").status_code in {302, 303}


def test_every_client_is_told_the_address_and_the_token() -> None:
    lines = list(snippets("http://packages.acme.example", "packhouse-secret"))
    assert {line.client for line in lines} == {"pip", "uv", "twine", "Poetry", "PDM", "Hatch"}
    assert all("packages.acme.example" in line.text or "packhouse-secret" in line.text for line in lines if line.place)
    assert "trusted-host = packages.acme.example" in lines[0].text
    assert "trusted-host" not in next(snippets("https://packages.acme.example", "")).text
    for line in lines:
        if line.place.endswith(".toml"):
            tomllib.loads(line.text)


def submit(link: str, number: int) -> int:
    """Fill in the form behind *link* in a browser of its own; the status of the answer, redirects not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(CookieJar()))
    try:
        page = opener.open(link, timeout=120).read().decode()
        (csrf,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        form = ACCOUNT | {"username": f"ada{number}", "email": f"ada{number}@example.org", "csrfmiddlewaretoken": csrf}
        return int(opener.open(link, urllib.parse.urlencode(form).encode(), timeout=60).status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_of_many_who_use_the_link_at_once_one_becomes_administrator(tmp_path: Path, live_database: str | None) -> None:
    with packhouse.running(tmp_path / "home", database=live_database, workers=2) as index:
        (link,) = re.findall(r"http\S+/setup/\S+", index.printed())
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda number: submit(link, number), range(32)))
    assert sorted(set(answers)) == [302, 410]
    assert answers.count(302) == 1


@pytest.mark.slow
def test_settings_take_effect_without_anybody_starting_the_index_again(tmp_path: Path) -> None:
    """The index starts itself again: the process stays, its configuration is new."""
    with packhouse.running(tmp_path / "home") as index:
        process, home = index.process.pid, index.home
        config.save(home, {"site_name": "Acme Packages"})
        (folder,) = (home / "run").glob("[0-9]*")
        assert folder.name == str(process)
        os.kill(process, signal.SIGUSR1)
        deadline = time.monotonic() + 240
        while "Acme Packages" not in _front_page(index.url) and time.monotonic() < deadline:
            time.sleep(0.3)
        assert "Acme Packages" in _front_page(index.url)
        assert index.process.poll() is None


def _front_page(url: str) -> str:
    try:
        return urllib.request.urlopen(f"{url}/", timeout=60).read().decode()
    except (urllib.error.URLError, OSError):
        return ""

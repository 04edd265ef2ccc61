"""Single sign-on with a real provider of OpenID Connect, and accounts elsewhere."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from oidc_provider_mock import User as Known
from oidc_provider_mock import run_server_in_thread
from tests.accounts.visitor import letters, make_member
from tests.factories.accounts import signed_in

from packhouse.accounts import actions
from packhouse.accounts.models import User
from packhouse.audit.models import Event

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
CLAIMS = {"email": "Ada@corp.example", "email_verified": True, "preferred_username": "Ada L.", "name": "Ada Lovelace"}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The issuer: a provider on loopback that knows two people."""
    people = [Known(sub="1815", claims=dict(CLAIMS)), Known(sub="1906", claims={"email": "grace@corp.example"})]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def _set_up(configure: Any, provider: str) -> None:
    configure(sso_issuer=provider, sso_client_id="packhouse", sso_client_secret="s3cret", sso_name="Corp")


def leave(browser: Any, **query: str) -> str:
    """Where the provider is to be asked."""
    response = browser.get("/account/sso/", query)
    assert response.status_code == 302
    return str(response.url)


def say_yes(url: str, sub: str = "1815") -> str:
    """What the person does at the provider; the path and query that the browser comes back with."""
    answer = httpx.post(url, data={"sub": sub}, trust_env=False)
    assert answer.status_code in {302, 303}, answer.text
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}" == settings.PACKHOUSE.public_url
    return f"{parts.path}?{parts.query}"


def test_whoever_the_provider_knows_gets_an_account_and_a_session(visitor: Any) -> None:
    assert b"Sign in with Corp" in visitor.get("/account/login/").content
    url = leave(visitor, next="/manage/account/sessions/")
    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked["redirect_uri"] == f"{settings.PACKHOUSE.public_url}/account/sso/callback/"
    assert asked["code_challenge_method"] == "S256"
    assert asked["state"]
    response = visitor.get(say_yes(url))
    assert (response.status_code, response.url) == (302, "/manage/account/sessions/")
    assert visitor.is_in()
    user = User.objects.get()
    assert (user.username, user.name, user.email) == ("ada-l", "Ada Lovelace", "ada@corp.example")
    assert not user.has_usable_password()
    assert EmailAddress.objects.get().verified
    tags = Event.objects.order_by("pk").values_list("tag", flat=True)
    assert list(tags) == ["account:create", "login:success"]


def test_the_same_person_is_the_same_user_the_next_time(visitor: Any, another: Any) -> None:
    visitor.get(say_yes(leave(visitor)))
    User.objects.update(username="renamed")
    another.get(say_yes(leave(another)))
    assert another.is_in()
    assert User.objects.count() == SocialAccount.objects.count() == 1


def test_an_address_that_the_provider_does_not_vouch_for_is_verified_by_letter(visitor: Any) -> None:
    visitor.get(say_yes(leave(visitor), "1906"))
    assert not EmailAddress.objects.get().verified
    assert letters() == [("verify-email", "grace@corp.example")]


def test_an_account_with_the_same_address_is_not_taken_over_but_can_be_connected(visitor: Any) -> None:
    user = make_member("ada")
    EmailAddress.objects.create(user=user, email="ada@corp.example", verified=True)
    response = visitor.get(say_yes(leave(visitor)))
    assert response.status_code == 409
    assert "Sign in there" in response.content.decode()
    assert not visitor.is_in()
    browser = signed_in(user)
    assert browser.get(say_yes(leave(browser))).url == "/manage/account/associations/"
    assert Event.objects.filter(tag="association:add").count() == 1
    assert letters("account-association-added") == [("account-association-added", user.email)]
    assert visitor.get(say_yes(leave(visitor))).url == "/manage/projects/"
    assert visitor.is_in()


def test_somebody_elses_identity_is_not_connected_twice(visitor: Any) -> None:
    visitor.get(say_yes(leave(visitor)))
    browser = signed_in(make_member("eve"))
    browser.get(say_yes(leave(browser)))
    assert SocialAccount.objects.filter(user__username="eve").count() == 0


def test_an_answer_belongs_to_the_browser_that_asked(visitor: Any, another: Any) -> None:
    path = say_yes(leave(visitor))
    leave(another)
    assert another.get(path).status_code == 403
    assert not another.is_in()
    assert User.objects.count() == 0


def test_an_answer_is_good_once(visitor: Any) -> None:
    path = say_yes(leave(visitor))
    assert visitor.get(path).status_code == 302
    visitor.post("/account/logout/")
    assert visitor.get(path).status_code == 403
    assert not visitor.is_in()


def test_an_id_token_of_another_issuer_is_refused(visitor: Any, configure: Any, provider: str) -> None:
    configure(sso_issuer=provider + "/")
    assert visitor.get(say_yes(leave(visitor))).status_code == 403
    assert not visitor.is_in()


def test_a_frozen_account_stays_out(visitor: Any, another: Any) -> None:
    visitor.get(say_yes(leave(visitor)))
    actions.freeze_user(User.objects.get(), by=None)
    assert another.get(say_yes(leave(another))).status_code == 403
    assert not another.is_in()


def test_an_account_without_a_password_keeps_its_only_way_in(visitor: Any) -> None:
    visitor.get(say_yes(leave(visitor)))
    number = SocialAccount.objects.get().pk
    visitor.post(f"/manage/account/associations/{number}/disconnect/")
    assert SocialAccount.objects.exists()


def test_who_has_no_password_proves_again_at_the_provider(visitor: Any) -> None:
    visitor.get(say_yes(leave(visitor)))
    visitor.forget_proof()
    page = visitor.get("/manage/account/")
    match = re.search(r'href="(/account/sso/\?next=[^"]+)"', page.content.decode())
    assert match
    assert visitor.get(say_yes(visitor.get(match[1]).url)).url == "/manage/account/"
    assert visitor.get("/manage/account/").templates[0].name == "accounts/profile.html"


def test_without_configuration_there_is_nothing(visitor: Any, configure: Any) -> None:
    configure(sso_client_id="")
    assert visitor.get("/account/sso/").status_code == 404
    assert b"/account/sso/" not in visitor.get("/account/login/").content


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_github_and_gitlab_are_asked_for_nothing_but_who_one_is(configure: Any, service: str) -> None:
    configure(github_client_id="x", github_client_secret="y", gitlab_client_id="x", gitlab_client_secret="y")
    browser = signed_in(make_member(two_factor=True))
    url = browser.get(f"/manage/account/associations/{service}/connect").url
    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked["redirect_uri"].startswith(f"{settings.PACKHOUSE.public_url}/manage/account/associations/{service}/")
    assert asked.get("scope", "") in {"", "read_user"}
    assert browser.get(f"/manage/account/associations/{service}/callback?code=x&state=forged").status_code == 403
    assert not SocialAccount.objects.exists()

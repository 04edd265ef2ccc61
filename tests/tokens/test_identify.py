"""Whom the ``Authorization`` header of an upload speaks for."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymacaroons import Macaroon
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project

from packhouse.accounts import bans
from packhouse.accounts.queries import identity_of
from packhouse.base import clock
from packhouse.base.identity import ANONYMOUS, Identity, RequestFacts, current_request
from packhouse.tokens.caveats import GRANTS
from packhouse.tokens.queries import CredentialsRefused, identify
from packhouse.tokens.rules import GRANT_FOR, check

pytestmark = pytest.mark.django_db

INVALID = "Invalid or non-existent authentication information."


def basic(password: str, username: str = "__token__") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def narrowed(text: str, *caveats: str) -> str:
    macaroon = Macaroon.deserialize(text.removeprefix("packhouse-"))
    for caveat in caveats:
        macaroon.add_first_party_caveat(caveat)
    return "packhouse-" + macaroon.serialize()


def refusal(authorization: str) -> CredentialsRefused:
    with pytest.raises(CredentialsRefused) as caught:
        identify(authorization)
    return caught.value


@pytest.mark.parametrize(
    "form",
    [
        basic,
        lambda text: basic(f"  {text}\r\n"),
        lambda text: basic(text).replace("Basic", "bAsIc"),
        lambda text: f"token {text}",
        lambda text: f"Token   {text} ",
        lambda text: f"BEARER {text}",
    ],
)
def test_a_token_is_accepted_in_every_form_that_clients_send(
    form: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    token, text = make_token(user)
    monkeypatch.setattr(bans, "KEPT_FOR", 3600.0)
    bans.is_banned()  # from here on it is known that nobody is
    with django_assert_num_queries(1):
        identity = identify(form(text))
    assert (identity.kind, identity.user_id, identity.username) == ("user", user.pk, user.username)
    assert identity.token is not None
    assert identity.token.id == token.pk
    assert identity.two_factor
    assert identity.verified_email


@pytest.mark.parametrize("header", [None, "", "  "])
def test_without_credentials_a_request_is_anonymous(header: str | None) -> None:
    assert identify(header) is ANONYMOUS
    assert check(ANONYMOUS, "projects:upload").reason == INVALID


@pytest.mark.parametrize("username", ["alice", "__TOKEN__", "__token__ ", ""])
def test_another_user_name_is_pointed_at_tokens_even_with_a_valid_one(username: str) -> None:
    refused = refusal(basic(make_token()[1], username=username))
    assert refused.status == 403
    assert "API token" in refused.message


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w==", "Digest x", "Bearer", "x"],
)
def test_an_undecodable_header_is_refused(header: str) -> None:
    assert (refusal(header).message, refusal(header).status) == (INVALID, 403)


def test_an_unknown_token_is_refused_as_any_other() -> None:
    token, text = make_token()
    token.delete()
    assert refusal(f"Bearer {text}").message == INVALID


@pytest.mark.parametrize("state", [{"is_frozen": True}, {"is_active": False}, {"disabled_for": "admin initiated"}])
def test_a_token_of_a_user_who_may_not_act_is_refused(state: dict[str, Any]) -> None:
    assert refusal(f"Bearer {make_token(make_user(**state))[1]}").message == INVALID


def test_a_token_with_a_foreign_signature_is_refused() -> None:
    text = make_token()[1]
    forged = text[:-2] + ("AA" if text[-2:] != "AA" else "BA")
    assert refusal(f"Bearer {forged}").message in {"Invalid API Token: signatures do not match", INVALID}


def test_a_huge_header_is_refused_before_it_is_decoded() -> None:
    assert refusal("Bearer " + "A" * 10_000_000).status == 413


def test_a_token_stays_valid_while_the_former_key_is_listed(settings: Any) -> None:
    text = make_token()[1]
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert refusal(f"Bearer {text}").code == "bad-signature"
    settings.SECRET_KEY_FALLBACKS = [former]
    assert identify(f"Bearer {text}").kind == "user"


def test_an_operators_token_stands_in_for_the_second_factor_and_says_so() -> None:
    user = make_user(two_factor=False)
    assert not identify(f"Bearer {make_token(user)[1]}").two_factor
    identity = identify(f"Bearer {make_token(user, by_operator=True)[1]}")
    assert identity.two_factor
    assert identity.token is not None
    assert identity.token.by_operator


def upload(text: str, project: Any) -> str:
    return check(identify(f"Bearer {text}"), "projects:upload", project).reason


def test_a_user_token_may_upload_to_any_project() -> None:
    text = make_token()[1]
    assert upload(text, make_project()) == upload(text, None) == ""


def test_a_project_token_is_good_for_that_project_alone() -> None:
    mine, other = make_project("mine"), make_project("other")
    text = make_token(projects=[mine])[1]
    assert upload(text, mine) == ""
    assert upload(text, other) == "Invalid API Token: project-scoped token is not valid for project: 'other'"
    assert upload(text, None) == "Invalid API Token: project-scoped token used outside of a project"


def test_a_project_token_does_not_follow_the_name_to_another_project() -> None:
    first = make_project("mine")
    text = make_token(projects=[first])[1]
    first.delete()
    assert "not valid for project" in upload(text, make_project("mine"))


def test_a_token_expires(time_machine: Any) -> None:
    text = make_token(expires=clock.now() + timedelta(hours=1))[1]
    assert upload(text, make_project()) == ""
    time_machine.move_to(clock.now() + timedelta(hours=1, seconds=1))
    assert upload(text, make_project("later")) == "Invalid API Token: token is expired"


def test_a_holder_narrows_a_token_and_can_never_widen_it() -> None:
    project = make_project()
    text = make_token()[1]
    assert upload(narrowed(text, '[1,["sample"]]'), project) == ""
    assert "not valid for project" in upload(narrowed(text, '[1,["other"]]', '[1,["sample"]]'), project)
    assert upload(narrowed(text, '[9,"new"]'), project).startswith("Invalid API Token: caveat has an unknown tag")


def test_caveats_stored_later_restrict_a_token_that_lacks_them() -> None:
    token, text = make_token()
    token.caveats = [*token.caveats, [1, ["other"]]]
    token.save()
    assert "not valid for project" in upload(text, make_project())


@pytest.mark.parametrize("permission", ["account:manage", "admin:write", "never-heard-of"])
def test_a_token_opens_nothing_but_what_lists_tokens(permission: str) -> None:
    text = make_token(grants=GRANTS)[1]
    assert check(identify(f"Bearer {text}"), permission).code == "credential-kind"


def test_a_token_is_for_uploading_unless_it_was_made_for_more() -> None:
    plain, manager = make_token()[1], make_token(grants=["manage", "read"])[1]
    allowed = {
        text: {permission for permission in GRANT_FOR if check(identify(f"Bearer {text}"), permission)}
        for text in (plain, manager)
    }
    assert allowed == {
        plain: {"projects:upload"},
        manager: {"projects:write", "account:api-tokens", "account:read", "projects:read"},
    }


def test_a_permission_that_the_holder_adds_gives_nothing() -> None:
    text = narrowed(make_token()[1], '[101,["manage","upload"]]')
    assert check(identify(f"Bearer {text}"), "projects:upload")
    assert check(identify(f"Bearer {text}"), "projects:write").code == "token-grant"


@pytest.mark.parametrize(("address", "allowed"), [("10.1.2.3", True), ("192.0.2.1", False), ("", False)])
def test_a_token_for_some_addresses_works_from_there_alone(address: str, allowed: bool) -> None:
    text = make_token(addresses=["10.0.0.0/8"])[1]
    identity = identify(f"Bearer {text}")
    token = current_request.set(RequestFacts(address=address))
    try:
        assert bool(check(identity, "projects:upload")) is allowed
    finally:
        current_request.reset(token)


def test_a_token_for_a_pattern_is_for_the_projects_that_match() -> None:
    text = make_token(patterns=["acme-*"])[1]
    assert upload(text, make_project("acme-tools")) == ""
    assert "not valid for project" in upload(text, make_project("other"))


def test_a_token_made_with_a_token_has_no_more_rights_than_that() -> None:
    user = make_user()
    source = make_token(user, grants=["manage", "upload"], addresses=["127.0.0.0/8"])[1]
    presented = narrowed(source, '[101,["manage"]]')
    grant = identify(f"Bearer {presented}").token
    text = make_token(user, grants=GRANTS, within=grant)[1]
    derived = identify(f"Bearer {text}")
    assert derived.token is not None
    assert derived.token.grants == {"manage"}
    assert check(derived, "account:api-tokens").code == "token-caveat"  # no address is known here


def test_a_session_does_not_upload_and_does_manage() -> None:
    session: Identity = identity_of(make_user())
    assert check(session, "projects:upload").code == "credential-kind"
    assert check(session, "account:manage")
    assert not check(replace(session, credential="none"), "account:manage")

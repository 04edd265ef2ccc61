"""What every answer of the control plane carries, whatever made it."""

import json
import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import path
from tests.factories.accounts import make_user

from packhouse import urls as house
from packhouse.base.csp import csp
from packhouse.base.errors import Gone, TooManyRequests, Unavailable
from packhouse.base.identity import current_request
from packhouse.base.visibility import public

handler400, handler403, handler404, handler500 = house.handler400, house.handler403, house.handler404, house.handler500

REFUSALS = {
    "bad": (SuspiciousOperation("no"), 400),
    "forbidden": (PermissionDenied("Only owners may do this."), 403),
    "missing": (Http404(), 404),
    "gone": (Gone("Documentation is hosted elsewhere now."), 410),
    "limited": (TooManyRequests(retry_after=30), 429),
    "broken": (ZeroDivisionError(), 500),
    "unavailable": (Unavailable(retry_after=5), 503),
    "database": (OperationalError("gone away"), 503),
}


def refuse(request, kind):
    raise REFUSALS[kind][0]


@csp(img_src=["https://images.example"], form_action=["https://pay.example"])
def wider(request):
    return HttpResponse("wider")


@public(max_age=60, shared=600)
def for_all(request):
    request.session["seen"] = 1
    return HttpResponse("for all")


@public(max_age=60, shared=600)
def the_same(request):
    return HttpResponse("the same")


def where_from(request):
    return HttpResponse(json.dumps([current_request.get().address, current_request.get().user_agent]))


def form(request):
    return render(request, "base/form.html", {"form": "", "submit": "Save"})


urlpatterns = [
    *house.urlpatterns,
    path("refuse/<kind>/", refuse),
    path("wider/", wider),
    path("for-all/", for_all),
    path("the-same/", the_same),
    path("where-from/", where_from),
    path("form/", form),
]


@pytest.fixture(autouse=True)
def _routes(settings):
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


KEPT_ON_304 = ("Cache-Control", "Surrogate-Control", "Surrogate-Key", "ETag", "Vary")


def policy_of(response):
    return dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_a_page_that_needs_no_database(visitor, kind):
    response = visitor.get(f"/refuse/{kind}/")
    assert response.status_code == REFUSALS[kind][1]
    assert f'<p class="big-number" aria-hidden="true">{response.status_code}</p>' in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"
    assert response.cookies == {}


def test_a_refusal_says_why_and_when_to_come_back(visitor):
    assert "Only owners may do this." in visitor.get("/refuse/forbidden/").content.decode()
    limited = visitor.get("/refuse/limited/")
    assert limited["Retry-After"] == "30"
    assert "Try again in 30 seconds." in limited.content.decode()


def test_programs_get_refusals_in_their_own_form(visitor):
    answer = visitor.get("/refuse/gone/", headers={"Accept": "application/json"})
    assert answer.json() == {"message": "Documentation is hosted elsewhere now.", "code": 410}
    assert visitor.get("/refuse/missing/", headers={"Accept": "text/plain"}).content == b"404 There is nothing here\n"


@pytest.mark.parametrize("address", ["/", "/nothing/", "/refuse/broken/", "/theme.css", "/favicon.ico", "/where-from/"])
def test_every_answer_closes_what_browsers_leave_open(visitor, address):
    response = visitor.get(address)
    policy = policy_of(response)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_a_view_may_use_further_sources(visitor):
    policy = policy_of(visitor.get("/wider/"))
    assert policy["img-src"] == "'self' https://images.example"
    assert policy["form-action"] == "'self' https://pay.example"
    assert policy["script-src"] == "'self'"


@pytest.mark.django_db
def test_a_public_page_reads_no_session_and_sets_no_cookie(visitor, django_assert_num_queries):
    visitor.force_login(make_user("reader"))
    visitor.get("/trademarks/")  # the switches that are on are asked for once a second
    with django_assert_num_queries(1):
        page = visitor.get("/trademarks/")
    assert page.cookies == {}
    assert "reader" not in page.content.decode()
    assert page["Vary"] == "Accept-Language, Packhouse-Language, Accept-Encoding"
    assert visitor.get("/for-all/").cookies == {}
    assert visitor.get("/for-all/")["Cache-Control"] == "public, max-age=60"


@pytest.fixture
def behind_a_cache(settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://127.0.0.1")


@pytest.mark.usefixtures("behind_a_cache")
def test_a_cache_in_front_is_told_how_long_it_may_keep_a_page(visitor):
    page = visitor.get("/the-same/")
    assert page["Cache-Control"] == "public, max-age=60"
    assert page["Surrogate-Control"] == "max-age=600, stale-while-revalidate=600, stale-if-error=432000"
    assert page["Surrogate-Key"] == "all-html"
    unchanged = visitor.get("/the-same/", headers={"If-None-Match": page["ETag"]})
    assert unchanged.status_code == 304
    assert {name: unchanged[name] for name in KEPT_ON_304} == {name: page[name] for name in KEPT_ON_304}
    assert "Surrogate-Control" not in visitor.get("/where-from/")


@pytest.mark.usefixtures("behind_a_cache")
def test_a_cache_in_front_chooses_the_language_or_keeps_no_page_that_the_cookie_chose(visitor):
    visitor.cookies["locale"] = "de"
    chosen_here = visitor.get("/the-same/")
    assert chosen_here["Cache-Control"] == "private, max-age=60"
    assert "Surrogate-Control" not in chosen_here
    chosen_there = visitor.get("/the-same/", headers={"Packhouse-Language": "he"})
    assert chosen_there["Content-Language"] == "he"
    assert chosen_there["Cache-Control"] == "public, max-age=60"
    assert "Surrogate-Control" in chosen_there
    assert visitor.get("/the-same/", headers={"Packhouse-Language": "xx"})["Content-Language"] == "de"


@pytest.mark.django_db
def test_a_private_page_is_kept_by_nobody_and_knows_its_reader(visitor):
    visitor.force_login(make_user("reader"))
    response = visitor.get("/_personal/")
    assert response["Cache-Control"] == "private, no-store"
    assert "reader" in response.content.decode()
    assert visitor.cookies["personal"].value == "1"
    visitor.logout()
    visitor.cookies["personal"] = "1"
    visitor.cookies[settings.SESSION_COOKIE_NAME] = "outdated"
    assert visitor.get("/_personal/").cookies["personal"]["max-age"] == 0


def test_an_action_knows_where_the_request_comes_from(visitor):
    answer = visitor.get("/where-from/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "x" * 1000})
    assert json.loads(answer.content) == ["192.0.2.7", "x" * 512]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_colours_hold_without_script(visitor, theme):
    answer = visitor.post("/preferences/", {"theme": theme, "next": "/search/?q=x"})
    assert answer["Location"] == "/search/?q=x"
    assert visitor.get("/theme.css").content.decode() == f":root {{ color-scheme: {theme}; }}\n"
    visitor.post("/preferences/", {"theme": "auto"})
    assert visitor.get("/theme.css").content == b""


@pytest.mark.parametrize(("language", "direction", "words"), [("de", "ltr", "Zum Inhalt"), ("he", "rtl", "דילוג")])
def test_the_chosen_language_holds(visitor, language, direction, words):
    visitor.post("/preferences/", {"locale": language})
    page = visitor.get("/refuse/missing/").content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert words in page


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/search/?q=x", "/search/"),
        ("https://elsewhere.example/search/", "/"),
        ("http://testserver//elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_a_link_changes_the_language_and_leads_back(visitor, referer, back):
    answer = visitor.get("/locale/?locale_id=de", headers={"Referer": referer, "Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (302, back, "private, no-store")
    assert '<html lang="de"' in visitor.get("/refuse/missing/").content.decode()
    visitor.get("/locale/?locale_id=xx")
    assert '<html lang="de"' in visitor.get("/refuse/missing/").content.decode()
    assert visitor.get("/locale/?locale_id=en", headers={"Sec-Fetch-Site": "cross-site"}).cookies == {}


@pytest.mark.parametrize(("asked", "status"), [(403, 403), (418, 418), (429, 429), (503, 503), (200, 404), (999, 404)])
def test_an_error_page_can_be_looked_at(visitor, asked, status):
    answer = visitor.get(f"/_force-status/{asked}/")
    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


def test_an_unknown_choice_changes_nothing(visitor):
    visitor.post("/preferences/", {"theme": "; } body { display: none", "locale": "xx"})
    assert visitor.get("/theme.css").content == b""
    assert 'lang="en"' in visitor.get("/refuse/missing/").content.decode()


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_cannot_choose(visitor, headers):
    answer = visitor.post("/preferences/", {"theme": "dark"}, headers=headers)
    assert answer.status_code == 403
    assert answer.cookies == {}


def test_preferences_are_changed_by_forms_alone(visitor):
    assert visitor.get("/preferences/?theme=dark").status_code == 405


def test_a_form_without_its_token_is_refused_with_a_way_out():
    answer = Client(enforce_csrf_checks=True).post("/form/")
    assert answer.status_code == 403
    assert "reload the page and try again" in answer.content.decode()


def test_no_page_has_code_or_styles_of_its_own(visitor):
    page = visitor.get("/refuse/missing/").content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert re.search(r"<[^>]*\son[a-z]+=", page) is None
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


@pytest.mark.django_db
def test_parts_are_shown_to_staff_alone(visitor):
    assert visitor.get("/_style/").status_code == 404
    visitor.force_login(make_user(is_superuser=True))
    page = visitor.get("/_style/?flash")
    assert "Release 1.2.0 is deleted." in page.content.decode()


def test_an_address_with_nul_is_refused_clearly(client):
    """PostgreSQL can be asked for no text that has it in it."""
    answer = client.get("/search/", {"q": "a\0b"})
    assert answer.status_code == 400
    assert "NUL (%00)" in answer.content.decode()
    assert client.get("/user/a%00b/").status_code == 404

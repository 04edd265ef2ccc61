"""Making an account and getting into it, in Chromium, also without script."""

from dataclasses import replace

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from tests.accounts.vendor import captcha_service
from tests.accounts.visitor import OTHER_PASSWORD, PASSWORD, link_in, make_member, work_off
from tests.browser.driving import sign_in

from packhouse.accounts.models import User

pytestmark = pytest.mark.browser


def register(page):
    """Fill in the form as Ada does, until she is told of the letter."""
    page.goto("/account/register/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Email address").fill("ada@users.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Register").click()
    page.get_by_text("A letter with a link went to").wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_person_registers_verifies_the_address_and_comes_back_in(new_context, script):
    page = new_context(java_script_enabled=script).new_page()
    register(page)
    page.goto(link_in("verify-email"))
    page.get_by_role("button", name="Verify this address").click()
    page.get_by_text("ada@users.example is verified.").wait_for()
    page.goto("/account/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto("/manage/account/password/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Password", exact=True).wait_for()


WIDGET = """
for (const place of document.querySelectorAll(".h-captcha")) {
  const answer = document.createElement("textarea");
  answer.name = "h-captcha-response";
  answer.value = place.dataset.sitekey + " " + document.currentScript.src;
  place.append(answer);
}
"""


def test_a_person_answers_a_captcha(browser_page, monkeypatch):
    complaints = []
    browser_page.on("console", lambda message: complaints.append(message.text))
    browser_page.route("https://js.hcaptcha.com/**", lambda route: route.fulfill(body=WIDGET))
    with captcha_service() as service:
        chosen = replace(settings.PACKHOUSE, captcha=f"hcaptcha://the-key?endpoint={service.url}")
        monkeypatch.setattr(settings, "PACKHOUSE", chosen)
        register(browser_page)
    assert [asked["response"] for asked in service.asked] == ["the-key https://js.hcaptcha.com/1/api.js?hl=en"]
    assert complaints == []


def test_a_form_that_met_the_question_for_the_password_arrives_complete(browser_page, site):
    user = make_member("ada")
    sign_in(browser_page.context, site, user)
    browser_page.goto("/manage/account/")
    browser_page.get_by_label("Full name").fill("Ada Lovelace")
    session = Session.objects.get()
    data = session.get_decoded() | {"proved_at": 0.0}
    Session.objects.update(session_data=SessionStore().encode(data))
    browser_page.get_by_role("button", name="Save").click()
    browser_page.get_by_label("Password", exact=True).fill(PASSWORD)
    browser_page.get_by_role("button", name="Confirm").click()
    browser_page.get_by_text("Your profile is saved.").wait_for()
    assert User.objects.get().name == "Ada Lovelace"


def test_a_forgotten_password_is_set_anew(browser_page):
    make_member("ada")
    browser_page.goto("/account/login/")
    browser_page.get_by_role("link", name="Forgotten your password?").click()
    browser_page.get_by_label("User name or email address").fill("ada")
    browser_page.get_by_role("button", name="Send the link").click()
    browser_page.get_by_role("heading", name="Check your mail").wait_for()
    work_off()
    browser_page.goto(link_in("password-reset"))
    browser_page.get_by_label("New password").fill(OTHER_PASSWORD)
    browser_page.get_by_role("button", name="Set the password").click()
    browser_page.get_by_text("Your password is changed.").wait_for()
    assert User.objects.get().check_password(OTHER_PASSWORD)

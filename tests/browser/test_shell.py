"""What the shell does with script, and that nothing is lost without it."""

import pytest
from playwright.sync_api import expect
from tests.browser.driving import Listed, assert_fits, sign_in
from tests.browser.pages import staff
from tests.factories.accounts import make_user

pytestmark = pytest.mark.browser
HOME = Listed("home", "/")
STYLE = Listed("style", "/_style/", staff)


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def lightness(page):
    """The lightness of the page's background, 0 (black) to 1."""
    return float(background(page).removeprefix("oklch(").split()[0])


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_chosen_colours_win_over_the_system_s(visit, script):
    page = visit(HOME, dark=False, java_script_enabled=script)
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/")
    if script:
        expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
        assert lightness(page) < 0.3
    dark = page.screenshot()
    page.get_by_role("button", name="Light").click()
    page.wait_for_url("**/")
    assert page.screenshot() != dark
    page.get_by_role("button", name="System").click()
    page.wait_for_url("**/")
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "theme"] == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_language_is_chosen_on_the_page_and_stays(visit, script):
    page = visit(HOME, java_script_enabled=script)
    page.get_by_label("Language").select_option("he")
    if not script:
        page.get_by_role("button", name="Apply").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    brand, account = page.locator(".brand").bounding_box(), page.locator("#account").bounding_box()
    assert brand["x"] > account["x"]
    page.goto("/nothing/")
    expect(page.locator("html")).to_have_attribute("lang", "he")
    page.set_viewport_size({"width": 320, "height": 600})
    assert_fits(page)


def test_the_first_key_leads_past_the_header(browser_page):
    browser_page.goto("/")
    browser_page.keyboard.press("Tab")
    expect(browser_page.get_by_role("link", name="Skip to content")).to_be_focused()
    browser_page.keyboard.press("Enter")
    expect(browser_page.locator("main")).to_be_focused()


def test_a_slash_leads_to_the_search_unless_one_is_typing(browser_page):
    browser_page.goto("/")
    browser_page.keyboard.press("/")
    search = browser_page.locator("[data-search]")
    expect(search).to_be_focused()
    browser_page.keyboard.type("a/b")
    expect(search).to_have_value("a/b")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**/search/?q=a%2Fb")


def test_a_command_is_copied_without_its_prompt_and_a_reader_hears_it(visit):
    page = visit(STYLE, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy “pip install sampleproject”").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "pip install sampleproject"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_dangerous_action_asks_for_the_name(visit, script):
    page = visit(STYLE, java_script_enabled=script)
    page.get_by_role("link", name="Delete project").click()
    if script:
        expect(page.get_by_role("dialog", name="Delete project sampleproject?")).to_be_visible()
        expect(page.locator("dialog input[name=confirmation]")).to_be_focused()
    page.get_by_label("Type “sampleproject” to confirm").fill("sample")
    page.get_by_role("button", name="Delete project").click()
    page.wait_for_url("**/_style/confirm/")
    expect(page.locator(".error-summary")).to_contain_text("This is not “sampleproject”")
    page.get_by_label("Type “sampleproject” to confirm").fill("sampleproject")
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_role("status").filter(has_text="Nothing was deleted")).to_be_visible()


def test_a_dialog_gives_the_focus_back(visit):
    page = visit(STYLE)
    link = page.get_by_role("link", name="Delete project")
    link.click()
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_a_message_stays_until_it_is_dismissed(visit):
    page = visit(Listed("flash", "/_style/?flash", staff))
    message = page.locator("#flash .alert.danger")
    expect(message).to_be_visible()
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_have_count(0)


def test_a_wrong_form_moves_the_reader_to_its_summary(visit):
    page = visit(STYLE)
    page.get_by_label("Name").fill("kept")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("kept")
    page.get_by_role("link", name="Scope: This field is required.").click()
    expect(page.get_by_label("Entire account")).to_be_focused()


def test_a_password_can_be_looked_at(visit):
    page = visit(STYLE)
    field = page.get_by_label("Password", exact=True)
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")


def test_a_public_page_learns_who_reads_it_from_the_script(visit, new_context, site):
    page = visit(HOME)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    user = staff()
    sign_in(page.context, page.url, user)
    page.goto("/_personal/")  # any private page sets the mark
    page.goto("/")
    menu = page.locator("details.menu")
    expect(menu).to_contain_text(user.username)
    menu.locator("summary").click()
    expect(page.get_by_role("link", name="Your projects")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Your projects")).to_be_hidden()


def test_a_public_page_is_completed_for_whoever_is_signed_in(visit, new_context, site):
    make_user("packer", public_email="packer@users.example")
    page = visit(HOME)
    home = page.url
    page.goto("/user/packer/")
    expect(page.get_by_role("heading", name="packer")).to_be_visible()
    expect(page.get_by_role("link", name="packer@users.example")).to_have_count(0)
    sign_in(page.context, home, staff())
    page.goto("/_personal/")  # any private page sets the mark
    page.goto("/user/packer/")
    expect(page.get_by_role("link", name="packer@users.example")).to_be_visible()


def test_a_page_is_small_and_asks_no_other_host(visit):
    page = visit(HOME)
    seen = []

    def note(response):
        seen.append(response)

    page.on("response", note)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert {response.url.split("/")[2] for response in seen} == {page.url.split("/")[2]}
    assert sum(response.request.sizes()["responseBodySize"] for response in seen) < 60_000


def test_a_running_index_serves_the_shell_through_its_front_door(live_page):
    answers = []
    live_page.on("response", lambda response: answers.append((response.status, response.url)))
    live_page.goto("/")
    live_page.get_by_role("button", name="Dark").click()
    expect(live_page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert lightness(live_page) < 0.3
    assert [answer for answer in answers if answer[0] >= 400] == []

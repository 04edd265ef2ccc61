"""Every page that people see.  Add yours here: it is then checked and drawn like all others."""

from datetime import timedelta

from tests.browser import organizing, searching, site
from tests.browser.driving import Listed
from tests.factories.accounts import make_token, make_user
from tests.factories.factors import make_app, make_key
from tests.factories.projects import make_project, publish

TRUSTED = "/manage/project/analytical-engine/settings/publishing/"


def staff():
    return make_user(is_superuser=True)


def _wrong(page):
    with page.expect_navigation():
        page.locator("main form[method=post]").first.get_by_role("button", name="Save").click()


def _ask(page):
    page.get_by_role("link", name="Delete project").first.click()
    page.locator("dialog input[type=text]").wait_for()


def guarded():
    """Somebody with every kind of second factor, some tokens and a history."""
    from packhouse.accounts.factors.actions import generate_recovery_codes
    from packhouse.base import clock

    user = make_user(two_factor=False)
    make_app(user, by=user)
    make_key(user, "Key on my key ring", by=user)
    make_key(user, "Laptop", is_passkey=True, by=user)
    generate_recovery_codes(user=user, by=user)
    project = make_project("demo", owner=user)
    make_token(user, "Release job of demo", projects=[project], expires=clock.now() + timedelta(days=365), by=user)
    make_token(user, "Everything of acme", patterns=["acme-*"], grants=["upload", "yank"], addresses=["10.0.0.0/8"])
    make_token(user, "Old machine", by_operator=True)
    return user


def unguarded():
    return make_user(two_factor=False)


def _submit(page):
    with page.expect_navigation():
        page.locator("main form[method=post] button.primary").last.click()


def _ask_to_remove(page):
    page.locator("main a.danger").first.click()
    page.locator("dialog input[type=text]").wait_for()


def postmaster():
    """Staff, with letters in some states."""
    from django.db import transaction

    from packhouse.accounts import emails
    from packhouse.mail.models import Letter

    user = staff()
    with transaction.atomic():
        for number in range(3):
            emails.primary_email_changed(user, old=f"old-{number}@users.example", new=user.email, cause=str(number))
        emails.password_reset(user, user.email, url="/account/reset-password/?token=abc", hours=6, cause="1")
    states = (Letter.State.DELIVERED, Letter.State.FAILED, Letter.State.BOUNCED)
    for letter, state in zip(Letter.objects.order_by("pk"), states, strict=False):
        Letter.objects.filter(pk=letter.pk).update(state=state, attempts=1, last_error="550 5.1.1 no such person")
    return user


def _hosts():
    """Staff, with invitations in every state."""
    from packhouse.accounts import actions
    from packhouse.accounts.models import Invitation
    from packhouse.base import clock

    user = staff()
    for name in ("waiting", "used", "expired.with.a.rather.long.address.of.a.person"):
        actions.invite_person(f"{name}@laboratory.example", by=user)
    Invitation.objects.filter(email__startswith="used").update(used_at=clock.now(), used_by=make_user("babbage"))
    Invitation.objects.filter(email__startswith="expired").update(expires=clock.now() - timedelta(days=1))
    return user


def _strict():
    from packhouse.accounts import actions

    user = staff()
    actions.prohibit_domains(["throwaway.example", "ten-minutes.example"], comment="Throw-away mail", by=user)
    actions.prohibit_domains(["a-rather-long-name.of-a-domain.example"], comment="", by=user)
    return user


def _watchful():
    """Staff, who has banned some addresses, one of them for a while, and one for good."""
    from packhouse.accounts import actions
    from packhouse.accounts.models import BannedNetwork, Device
    from packhouse.base import clock

    user = staff()
    actions.ban(["192.0.2.0/24"], comment="Tries passwords by the thousand", until=None, by=user)
    actions.ban(["2001:db8:4:5::/64"], comment="", until=clock.now() + timedelta(days=30), by=user)
    actions.ban(["198.51.100.7"], comment="Sent spam as README", until=clock.now() + timedelta(days=1), by=user)
    BannedNetwork.objects.filter(network="198.51.100.7/32").update(until=clock.now() - timedelta(days=1))
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    Device.objects.create(user=make_user("mallory"), digest="0" * 64, address="192.0.2.7", user_agent=firefox)
    return user


def _troubled():
    """Staff, on an index where some tasks wait and two have failed for good."""
    from packhouse.accounts import tasks as accounts
    from packhouse.base import clock
    from packhouse.mail import tasks as mail
    from packhouse.queue.models import QueuedTask

    now = clock.now()
    mail.send.enqueue(404)
    accounts.request_password_reset.enqueue("ada", "", "", "")
    trace = 'Traceback (most recent call last):\n  File "packhouse/mail/ports.py", line 171, in hand_over\n'
    trace += "smtplib.SMTPServerDisconnected: Connection unexpectedly closed by mail.laboratory.example"
    QueuedTask.objects.update(state="dead", attempts=3, finished_at=now - timedelta(hours=2), last_error=trace)
    mail.send.enqueue(405)
    QueuedTask.objects.waiting().update(run_at=now - timedelta(minutes=7))
    return staff()


def _invited():
    from packhouse.accounts import actions

    link = actions.invite_person("guest@users.example", by=make_user("ada"))
    return "/account/register/?token=" + link.partition("token=")[2]


def _read_a_letter(page):
    page.locator("main tbody a").nth(2).click()
    page.frame_locator("iframe").locator("h1").wait_for()


def _register_badly(page):
    with page.expect_navigation():
        page.locator("main form").get_by_role("button", name="Register").click()


def _another_address():
    from allauth.account.models import EmailAddress

    user = make_user("ada", name="Ada Lovelace")
    EmailAddress.objects.create(user=user, email="ada@elsewhere.example", verified=True)
    EmailAddress.objects.create(user=user, email="a.very.long.address.of.ada@laboratory.university.example")
    return user


def _not_verified():
    return make_user("ada", verified=False, two_factor=False)


def _owner_alone():
    user = _another_address()
    make_project("demo", owner=user)
    return user


def _publisher():
    from packhouse.projects.models import Project, Role

    user = make_user("ada", name="Ada Lovelace")
    for name, role in (("Analytical.Engine", Role.Name.OWNER), ("difference-engine", Role.Name.MAINTAINER)):
        project = make_project(name)
        publish(project, "3.1.4")
        Role.objects.create(user=user, project=project, name=role)
    make_project("a-name-that-is-rather-long-for-a-project-of-engines", owner=user, status=Project.Status.ARCHIVED)
    return user


def _trusting():
    """Somebody whose project trusts publishers of every kind, one of them added by who has left since."""
    from tests.factories.publishers import make_publisher

    user = make_user("ada", name="Ada Lovelace")
    project = make_project("Analytical.Engine", owner=user)
    make_publisher(project)
    make_publisher(project, environment="production", repository="a-repository-with-a-rather-long-name-of-engines")
    make_publisher(project, kind="gitlab", pinned="")
    make_publisher(project, kind="google")
    project.publisher_links.update(added_by=user)
    project.publisher_links.filter(publisher__kind="google").update(added_by=make_user("babbage"))
    return user


def _mistrusting():
    user = make_user("ada")
    make_project("Analytical.Engine", owner=user)
    return user


def _waiting():
    """Somebody with a pending publisher."""
    from tests.factories.publishers import make_pending_publisher

    user = make_user("ada")
    make_pending_publisher(user, "difference-engine", owner="lovelace", repository="difference-engine")
    return user


def _reset_link():
    from packhouse.accounts.actions.passwords import reset_token

    user = make_user("grace", password="correct horse battery staple")
    return "/account/reset-password/?token=" + reset_token(user, user.emailaddress_set.get())


def first_link():
    """The link that ``serve`` prints on an empty index."""
    from django.conf import settings

    from packhouse.base import home

    home.prepare(settings.PACKHOUSE.home)
    return f"/setup/{home.new_setup_token(settings.PACKHOUSE.home)}"


PAGES = [
    Listed("login", "/account/login/"),
    Listed("register", "/account/register/"),
    Listed("register-errors", "/account/register/", None, _register_badly),
    Listed("forgotten", "/account/request-password-reset/"),
    Listed("reset-password", _reset_link),
    Listed("link-void", "/account/reset-password/?token=x"),
    Listed("confirm-login", "/account/confirm-login/?token=x"),
    Listed("restore-account", "/account/restore/?token=x"),
    Listed("log-out", "/account/logout/", _another_address),
    Listed("unverified", "/manage/unverified-account/", _not_verified),
    Listed("verify-email", "/account/verify-email/?token=x", _not_verified),
    Listed("proof", "/manage/account/", _another_address, proved=False),
    Listed("account", "/manage/account/", _another_address),
    Listed("own-projects", "/manage/projects/", _publisher),
    Listed("own-projects-none", "/manage/projects/", _another_address),
    Listed("addresses", "/manage/account/emails/", _another_address),
    Listed("password", "/manage/account/password/", _another_address),
    Listed("associations", "/manage/account/associations/", _another_address),
    Listed("account-delete", "/manage/account/delete/", _another_address),
    Listed("account-kept", "/manage/account/delete/", _owner_alone),
    Listed("sessions", "/manage/account/sessions/", _another_address),
    Listed("publishers", f"{TRUSTED}?provider=gitlab", _trusting),
    Listed("publishers-none", TRUSTED, _mistrusting),
    Listed("publishers-prefilled", f"{TRUSTED}?provider=github&owner=lovelace&repository=engine", _mistrusting),
    Listed("publishers-wrong", f"{TRUSTED}?provider=activestate", _mistrusting, _submit),
    Listed("publishers-remove", TRUSTED, _trusting, _ask_to_remove),
    Listed("pending-publishers", "/manage/account/publishing/?provider=google", _waiting),
    Listed("pending-publishers-none", "/manage/account/publishing/", _another_address),
    *site.PAGES,
    *organizing.PAGES,
    Listed("search-start", searching.start),
    Listed("search-results", searching.results),
    Listed("search-narrowed", searching.narrowed),
    Listed("search-meant", searching.meant),
    Listed("search-nothing", "/search/?q=zzzz&c=Framework"),
    Listed("style", "/_style/", staff),
    Listed("style-flash", "/_style/?flash", staff),
    Listed("style-errors", "/_style/", staff, _wrong),
    Listed("style-confirm", "/_style/confirm/", staff),
    Listed("style-dialog", "/_style/", staff, _ask),
    Listed("error-404", "/nothing/here/"),
    Listed("error-503", "/_force-status/503/"),
    Listed("two-factor-none", "/manage/account/two-factor/", unguarded),
    Listed("two-factor", "/manage/account/two-factor/", guarded),
    Listed("two-factor-app", "/manage/account/two-factor/app/", unguarded),
    Listed("two-factor-app-wrong", "/manage/account/two-factor/app/", unguarded, _submit),
    Listed("two-factor-add-key", "/manage/account/two-factor/keys/add/", unguarded),
    Listed("two-factor-remove", "/manage/account/two-factor/", guarded, _ask_to_remove),
    Listed("recovery-codes-ask", "/manage/account/two-factor/recovery-codes/", guarded),
    Listed("recovery-codes", "/manage/account/two-factor/recovery-codes/", guarded, _submit),
    Listed("tokens-none", "/manage/account/token/", make_user),
    Listed("tokens", "/manage/account/token/", guarded),
    Listed("token-create", "/manage/account/token/create/", guarded),
    Listed("token-create-wrong", "/manage/account/token/create/", guarded, _submit),
    Listed("token-delete", "/manage/account/token/", guarded, _ask_to_remove),
    Listed("security-history", "/manage/account/history/", guarded),
    Listed("console-letters", "/console/mail/", postmaster),
    Listed("console-letters-none", "/console/mail/?to=nobody@users.example", staff),
    Listed("console-addresses", "/console/addresses/", _watchful),
    Listed("console-addresses-found", "/console/addresses/?find=192.0.2.7", _watchful),
    Listed("console-tasks", "/console/tasks/", _troubled),
    Listed("console-tasks-none", "/console/tasks/", staff),
    Listed("console-email-domains", "/console/email-domains/", _strict),
    Listed("console-invitations", "/console/invitations/", _hosts),
    Listed("console-invitations-none", "/console/invitations/", staff),
    Listed("register-invited", _invited),
    Listed("register-void", "/account/register/?token=x"),
    Listed("console-letter", "/console/mail/", postmaster, _read_a_letter),
    Listed("setup-administrator", first_link),
    Listed("setup-settings", "/setup/", staff),
    Listed(
        "setup-settings-wrong",
        "/setup/",
        staff,
        lambda page: (page.get_by_label("Address of").fill("x"), _submit(page)),
    ),
    Listed("setup-clients", "/setup/clients/", staff),
    Listed("setup-clients-token", "/setup/clients/", staff, _submit),
]

SAME = [Listed(f"error-{status}", f"/_force-status/{status}/") for status in (400, 403, 405, 410, 413, 429, 500, 507)]
"""Pages that are drawn, but not checked: they differ from one that is only in their words."""

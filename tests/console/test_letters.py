"""The console's pages about letters: who may see what."""

import pytest
from django.test import Client
from tests.factories.accounts import make_user
from tests.mail.desk import deliver, post_one, with_mail

from packhouse.mail.draft import Draft
from packhouse.mail.models import Letter

pytestmark = pytest.mark.django_db
PAYLOAD = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def signed_in(**fields) -> Client:
    client = Client()
    client.force_login(make_user(**fields))
    return client


@pytest.fixture
def support() -> Client:
    return signed_in(is_support=True)


@pytest.fixture
def letter(settings, tmp_path):
    settings.PACKHOUSE = with_mail(f"file://{tmp_path}/outbox")
    return post_one(draft=lambda: Draft(subject="Hello", says=[PAYLOAD], because=PAYLOAD))


def paths(letter):
    return [f"/console/mail/{rest}" for rest in ("", f"{letter.pk}/", f"{letter.pk}/html/")]


def test_the_outbox_is_for_staff_with_a_second_factor(letter):
    outsiders = {
        Client(): 302,
        signed_in(): 403,
        signed_in(is_superuser=True, two_factor=False): 403,
        signed_in(is_moderator=True, is_frozen=True): 302,  # a frozen account is signed in nowhere
        signed_in(is_observer=True): 403,
    }
    for client, status in outsiders.items():
        assert [client.get(path).status_code for path in paths(letter)] == [status] * 3
        assert client.post(f"/console/mail/{letter.pk}/send-again/").status_code == status
    for flag in ("is_support", "is_moderator", "is_superuser"):
        assert [signed_in(**{flag: True}).get(path).status_code for path in paths(letter)] == [200] * 3


def test_letters_are_listed_by_state_and_by_address(support, letter):
    post_one("2", to="eve@users.example")
    deliver()
    Letter.objects.filter(pk=letter.pk).update(state=Letter.State.BOUNCED)

    def listed(query: str) -> set[str]:
        return {row.to for row, _ in support.get(f"/console/mail/?{query}").context["rows"]}

    assert listed("") == listed("state=nonsense") == {"ada@users.example", "eve@users.example"}
    assert listed("state=bounced") == {"ada@users.example"}
    assert listed("to=EVE@users.example") == {"eve@users.example"}
    assert listed("state=bounced&to=eve@users.example") == set()
    assert "returned for good" in support.get(f"/console/mail/{letter.pk}/").content.decode()


def test_a_letters_html_is_shown_in_a_sandbox_and_runs_nothing(support, letter):
    page = support.get(f"/console/mail/{letter.pk}/")
    assert f'sandbox src="/console/mail/{letter.pk}/html/"' in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    inside = support.get(f"/console/mail/{letter.pk}/html/")
    assert inside["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "allow-" not in inside["Content-Security-Policy"]
    assert "no-store" in inside["Cache-Control"]
    for answer in (page, inside):
        assert "<script>alert" not in answer.content.decode()
        assert "<img" not in answer.content.decode()


def test_a_link_that_lets_its_reader_in_is_shown_to_superusers_alone(support, letter):
    Letter.objects.update(is_secret=True)
    assert "onerror" not in support.get(f"/console/mail/{letter.pk}/").content.decode()
    assert support.get(f"/console/mail/{letter.pk}/html/").status_code == 403
    superuser = signed_in(is_superuser=True)
    assert "onerror" in superuser.get(f"/console/mail/{letter.pk}/").content.decode()
    assert superuser.get(f"/console/mail/{letter.pk}/html/").status_code == 200


def test_a_letter_that_could_not_be_sent_is_sent_again_once(support, letter):
    path = f"/console/mail/{letter.pk}/"
    assert "send-again" not in support.get(path).content.decode()
    Letter.objects.update(state=Letter.State.FAILED)
    assert "send-again" in support.get(path).content.decode()
    assert support.get(f"{path}send-again/").status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"{path}send-again/").status_code == 403
    answers = [support.post(f"{path}send-again/", follow=True).content.decode() for _ in range(2)]
    assert "on its way again" in answers[0]
    assert "on its way already" in answers[1]
    deliver()
    assert Letter.objects.get().state == Letter.State.SENT

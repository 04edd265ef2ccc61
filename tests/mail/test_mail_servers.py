"""Handing letters to mail servers: real ones, on the loopback, that behave and that do not."""

import ssl

import pytest
import trustme
from tests.mail.desk import deliver, post_one, with_mail
from tests.mail.servers import Mailbox, free_port, smtp_server, stub_server

from packhouse.mail import actions, ports
from packhouse.mail.models import Letter
from packhouse.queue.models import QueuedTask

pytestmark = pytest.mark.django_db
State = Letter.State


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A certificate for ``localhost`` from an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def mailbox():
    return Mailbox()


def test_a_letter_is_handed_over_encrypted_and_signed_in(settings, mailbox, tls):
    with smtp_server(mailbox, tls=tls) as port:
        settings.PACKHOUSE = with_mail(f"smtp://ada:right%20p%40ss@localhost:{port}")
        letter = post_one(is_secret=True)
        assert deliver() == ["done"]
    letter.refresh_from_db()
    assert (letter.state, letter.text, letter.html) == (State.SENT, "", "")
    assert letter.provider_id == f"<{letter.uid}@localhost>"
    assert mailbox.logins == [b"ada:right p@ss"]
    assert mailbox.recipients == ["ada@users.example"]
    (message,) = mailbox.messages
    assert f"Message-ID: <{letter.uid}@localhost>".encode() in message


def test_a_server_may_speak_tls_at_once(settings, mailbox, tls):
    with smtp_server(mailbox, tls=tls, at_once=True) as port:
        settings.PACKHOUSE = with_mail(f"smtps://localhost:{port}")
        post_one()
        assert deliver() == ["done"]
    assert len(mailbox.messages) == 1


def test_a_server_without_starttls_hears_nothing_of_the_letter(settings):
    with stub_server() as stub:
        settings.PACKHOUSE = with_mail(f"smtp://ada:secret@127.0.0.1:{stub.port}")
        letter = post_one()
        assert deliver() == ["waiting"]
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == (State.QUEUED, 1)
    assert "STARTTLS" in letter.last_error
    assert {line.split()[0].upper() for line in stub.heard} <= {b"EHLO", b"HELO", b"QUIT"}


def test_a_server_whose_certificate_nobody_knows_hears_nothing_of_the_letter(settings, mailbox, tls, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with smtp_server(mailbox, tls=tls) as port:
        settings.PACKHOUSE = with_mail(f"smtp://localhost:{port}")
        letter = post_one()
        assert deliver() == ["waiting"]
    assert mailbox.messages == []
    assert "certificate" in Letter.objects.get(pk=letter.pk).last_error.lower()


def test_an_unencrypted_line_is_used_where_the_address_says_so(settings, mailbox):
    with smtp_server(mailbox) as port:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{port}?insecure=1")
        post_one()
        assert deliver() == ["done"]
        assert ports.plugged_in().probe() == "unencrypted"
    assert len(mailbox.messages) == 1


def test_letters_wait_while_the_server_is_down_and_leave_once_in_their_order(settings, mailbox):
    port = free_port()
    settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{port}?insecure=1")
    letters = [post_one(str(number)) for number in range(3)]
    assert set(deliver(rounds=3)) == {"waiting"}
    with smtp_server(mailbox) as open_port:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{open_port}?insecure=1")
        deliver(rounds=2)
    sent = [message.split(b"Message-ID: <")[1][:36].decode() for message in mailbox.messages]
    assert sent == [str(letter.uid) for letter in letters]


def test_a_server_that_says_nothing_delays_a_letter_and_loses_none(settings, monkeypatch):
    monkeypatch.setattr(ports, "TIMEOUT", 0.2)
    with stub_server(hangs=True) as stub:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{stub.port}?insecure=1")
        letter = post_one()
        assert deliver() == ["waiting"]
    assert Letter.objects.get(pk=letter.pk).state == State.QUEUED


def test_a_server_that_hangs_up_before_its_last_word_gets_the_letter_a_second_time_under_the_same_name(settings):
    with stub_server() as stub:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{stub.port}?insecure=1")
        letter = post_one()
        stub.is_dropping = True
        assert deliver() == ["waiting"]
        stub.is_dropping = False
        assert deliver() == ["done"]
        assert deliver() == []
    names = [line for line in stub.heard if line.startswith(b"Message-ID:")]
    assert names == [f"Message-ID: <{letter.uid}@localhost>\r\n".encode()] * 2
    assert Letter.objects.get(pk=letter.pk).state == State.SENT


@pytest.mark.parametrize("where", ["answer", "rcpt_answer"])
def test_a_final_refusal_is_kept_and_shown_and_can_be_tried_again(settings, mailbox, where):
    setattr(mailbox, where, "550 5.1.1 no such person")
    with smtp_server(mailbox) as port:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{port}?insecure=1")
        letter, later = post_one("1"), post_one("2")
        setattr(mailbox, where, "550 5.1.1 no such person")
        assert deliver() == ["done"]  # the task of the first, which has done it for both
        letter.refresh_from_db()
        assert (letter.state, letter.last_error) == (State.FAILED, "550 5.1.1 no such person")
        mailbox.answer, mailbox.rcpt_answer = "250 taken", ""
        assert actions.send_again(letter.pk)
        assert not actions.send_again(letter.pk)
        assert deliver() == ["done"]
    assert [Letter.objects.get(pk=one.pk).state for one in (letter, later)] == [State.SENT, State.FAILED]


def test_a_refusal_for_now_is_tried_again_until_the_letter_is_given_up(settings, mailbox):
    mailbox.answer = "451 4.3.0 later"
    with smtp_server(mailbox) as port:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{port}?insecure=1")
        letter = post_one()
        assert deliver() == ["waiting"]
        QueuedTask.objects.update(attempts=actions.MAX_ATTEMPTS - 1)
        assert deliver() == ["done"]
    letter.refresh_from_db()
    assert (letter.state, letter.last_error) == (State.FAILED, "RuntimeError: SMTPDataError: 451 4.3.0 later")
    assert QueuedTask.objects.dead().count() == 0


def test_letters_behind_one_another_do_not_use_up_each_other_s_attempts(settings, mailbox):
    mailbox.answer = "451 4.3.0 later"
    with smtp_server(mailbox) as port:
        settings.PACKHOUSE = with_mail(f"smtp://127.0.0.1:{port}?insecure=1")
        letters = [post_one(str(number)) for number in range(4)]
        assert set(deliver(rounds=8)) == {"waiting"}
        assert {*Letter.objects.values_list("state", flat=True)} == {State.QUEUED}
        QueuedTask.objects.filter(pk=QueuedTask.objects.latest("pk").pk).update(attempts=actions.MAX_ATTEMPTS - 1)
        assert sorted(deliver()) == ["done", "waiting", "waiting", "waiting"]
        states = Letter.objects.order_by("pk").values_list("state", flat=True)
        assert [*states] == [State.QUEUED] * 3 + [State.FAILED]
        mailbox.answer = "250 taken"
        assert actions.send_again(letters[-1].pk)
        assert set(deliver()) == {"done"}
    assert {*Letter.objects.values_list("state", flat=True)} == {State.SENT}
    sent = [message for message in mailbox.messages if b"Message-ID" in message]
    order = [str(letter.uid).encode() for letter in letters]
    assert [next(uid for uid in order if uid in message) for message in sent][-4:] == order

"""Posting letters: once for each cause, with the commit, within limits, on one line."""

import email
import email.policy
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from tests.factories.accounts import make_user
from tests.mail.desk import a_draft, deliver, post_one, with_mail

from packhouse.audit.models import Event
from packhouse.mail import actions
from packhouse.mail.draft import Draft
from packhouse.mail.models import Letter
from packhouse.mail.tasks import forget_old
from packhouse.queue import backend, leases
from packhouse.queue.models import QueuedTask

State, Kind = Letter.State, Letter.Kind


@pytest.fixture
def outbox(settings, tmp_path):
    settings.PACKHOUSE = with_mail(f"file://{tmp_path}/outbox")
    return tmp_path / "outbox"


def subject_is(text):
    return lambda: Draft(subject=text, says=[], because="")


@pytest.mark.django_db(transaction=True)
def test_a_rollback_sends_nothing(outbox):
    with transaction.atomic():
        post_one()
        transaction.set_rollback(True)
    assert (Letter.objects.count(), QueuedTask.objects.count(), deliver()) == (0, 0, [])
    assert not outbox.exists()


@pytest.mark.django_db
def test_ten_times_the_same_cause_is_one_letter(outbox):
    letters = {post_one().pk for _ in range(10)}
    post_one(to="other@users.example")
    post_one(name="another")
    assert len(letters) == 1
    assert Letter.objects.count() == QueuedTask.objects.count() == 3
    deliver()
    assert len(list(outbox.glob("*.eml"))) == 3


@pytest.mark.django_db(transaction=True)
def test_one_cause_from_many_at_once_is_one_letter(outbox):
    def one() -> None:
        try:
            post_one("race")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Letter.objects.count(), QueuedTask.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_a_letter_lies_in_the_outbox_as_a_whole_message_for_its_reader_alone(outbox):
    letter = post_one(user_id=(user := make_user()).pk)
    assert deliver() == ["done"]
    letter.refresh_from_db()
    (path,) = outbox.iterdir()
    assert (letter.state, letter.attempts, letter.provider_id) == (State.SENT, 1, path.name)
    assert (path.stat().st_mode & 0o777, outbox.stat().st_mode & 0o777) == (0o600, 0o700)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "[Packhouse] Something happened"
    assert message["From"] == "Packhouse <packhouse@localhost>"
    assert message["To"] == "ada@users.example"
    assert message["Message-ID"] == f"<{letter.uid}@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "The <b>second</b> & last." in text
    assert "http://127.0.0.1:8080/somewhere/" in text
    assert "The &lt;b&gt;second&lt;/b&gt; &amp; last." in html
    event = Event.objects.get(tag="email:sent")
    assert (event.subject_id, event.additional["to"]) == (str(user.uid), "ada@users.example")


@pytest.mark.django_db
def test_a_letter_sent_again_by_accident_is_the_same_file(outbox):
    letter = post_one()
    deliver()
    Letter.objects.filter(pk=letter.pk).update(state=State.QUEUED)  # as if the process had died in between
    QueuedTask.objects.update(state="waiting", finished_at=None)
    deliver()
    assert len(list(outbox.glob("*.eml"))) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x00", "\u2028", "\x85"])
def test_no_name_ends_a_header(outbox, end):
    with pytest.raises(ValueError, match="not one line"):
        post_one(draft=subject_is(f"Hello{end}Bcc: all@users.example"))
    with pytest.raises(ValueError, match="not one line"):
        post_one(to=f"ada@users.example{end}Bcc: all@users.example")
    assert Letter.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_posting_outside_a_transaction_is_refused(outbox):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        actions.post("note", a_draft, to="ada@users.example", user_id=None, language="en", cause="1")


@pytest.mark.django_db
def test_a_thousand_requests_are_five_letters_an_hour_and_security_letters_still_leave(outbox):
    with time_machine.travel(datetime(2026, 5, 4, 10, tzinfo=UTC), tick=False) as clock:
        letters = [post_one(str(number), kind=Kind.REQUESTED) for number in range(100)]
        post_one("security", kind=Kind.SECURITY)
        post_one("elsewhere", to="eve@users.example", kind=Kind.REQUESTED)
        assert [letter.state for letter in letters] == [State.QUEUED] * 5 + [State.WITHHELD] * 95
        deliver()
        assert len(list(outbox.glob("*.eml"))) == 7
        clock.shift(timedelta(hours=1, seconds=1))
        assert post_one("later", kind=Kind.REQUESTED).state == State.QUEUED


@pytest.mark.django_db
def test_a_letter_is_written_in_its_readers_language(outbox):
    assert 'dir="rtl"' in post_one(language="he").html
    assert 'dir="ltr"' in post_one("2", language="de").html


@pytest.mark.django_db
def test_letters_and_their_files_are_forgotten_after_their_time(outbox, settings):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC)):
        post_one("old")
        deliver()
    post_one("new")
    deliver()
    old, new = sorted(outbox.glob("*.eml"))
    import os

    os.utime(old, (0, 0))
    forget_old.call()
    assert list(outbox.glob("*.eml")) == [new]
    assert Letter.objects.get().cause == "note:new"


@pytest.mark.django_db
def test_letters_to_one_address_leave_in_the_order_in_which_they_were_written(outbox):
    first, second = post_one("1"), post_one("2")
    QueuedTask.objects.filter(arguments__args=[first.pk]).delete()  # its task waits for a later attempt
    deliver()
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}
    assert Letter.objects.get(pk=first.pk).sent_at < Letter.objects.get(pk=second.pk).sent_at


@pytest.mark.django_db
def test_what_a_killed_worker_was_sending_leaves_with_the_next_attempt_and_not_before(outbox):
    letter = post_one()
    (row,) = leases.claim("mail", name="killed", lease=timedelta(seconds=20))
    before = backend.current.set(row)
    assert actions.claim(letter)
    backend.current.reset(before)
    assert not actions.claim(letter)  # its worker may still hand it over
    leases.recover_from("killed")
    assert deliver() == ["done"]
    assert len(list(outbox.glob("*.eml"))) == 1


@pytest.mark.django_db
def test_who_was_too_slow_does_not_free_what_another_has_claimed_since():
    letter = post_one()
    (row,) = leases.claim("mail", name="slow", lease=timedelta(seconds=20))
    nobody = backend.current.set(row)
    assert actions.claim(letter)
    backend.current.reset(nobody)
    with time_machine.travel(datetime.now(UTC) + actions.CLAIM + timedelta(seconds=1)):
        assert actions.claim(Letter.objects.get())
    nobody = backend.current.set(row)
    actions.let_go([letter])
    actions.note_delayed(letter, "too slow")
    backend.current.reset(nobody)
    found = Letter.objects.get()
    assert (found.state, found.attempts, found.last_error) == (State.SENDING, 0, "")


@pytest.mark.django_db
def test_what_is_being_sent_by_another_is_left_alone_until_that_one_is_given_up(outbox):
    letter = post_one()
    assert actions.claim(letter)
    assert deliver() == ["waiting"]
    assert not outbox.exists()
    with time_machine.travel(datetime.now(UTC) + actions.CLAIM + timedelta(seconds=1)):
        assert deliver() == ["done"]
    assert connection.in_atomic_block

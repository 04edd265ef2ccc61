"""Amazon SES: sending through it, and believing what its topic says."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
import trustme
from django.db import connections
from django.test import Client
from tests.factories.accounts import make_user
from tests.mail.desk import deliver, post_one, with_mail
from tests.mail.servers import free_port
from tests.mail.sns_side import HOST, TOPIC, Signer, bounce, certificates, event, notification

from packhouse.mail import sns
from packhouse.mail.models import Letter, Notification

State = Letter.State


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture
def place(signer, settings, monkeypatch, tmp_path):
    """The host of the certificates; every connection to any host ends there."""
    settings.PACKHOUSE = with_mail(f"ses://us-east-1?topic={TOPIC}")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    sns._key.cache_clear()
    real = socket.create_connection
    with certificates(authority, signer.pem) as place:
        monkeypatch.setattr(socket, "create_connection", lambda _, *rest, **more: real(("127.0.0.1", place.port)))
        yield place
    sns._key.cache_clear()


@pytest.fixture
def user(db):
    return make_user("ada")


@pytest.fixture
def letter(user):
    letter = post_one(user_id=user.pk)
    Letter.objects.update(state=State.SENT, provider_id="ses-1")
    return letter


def tell(message, kind="Notification", **headers):
    """POST *message* as SNS does; returns the status."""
    body = message if isinstance(message, bytes) else json.dumps(message)
    head = {"x-amz-sns-message-type": kind} | headers
    return Client().generic("POST", "/_/ses-hook/", body, "text/plain; charset=UTF-8", headers=head).status_code


def is_verified(user):
    return user.emailaddress_set.get().verified


def state():
    return Letter.objects.get().state


def test_a_delivery_is_written_down(place, signer, letter):
    assert tell(notification(signer, event("Delivery", "ses-1"))) == 200
    assert state() == State.DELIVERED
    assert place.asked == ["/SimpleNotificationService-0123456789abcdef.pem"]


@pytest.mark.parametrize(
    ("message", "becomes", "stays"),
    [
        (bounce("ses-1", "Permanent"), State.BOUNCED, False),
        (event("Complaint", "ses-1"), State.COMPLAINED, False),
        (bounce("ses-1", "Transient"), State.DELAYED, True),
    ],
)
def test_what_comes_back_for_good_unverifies_the_address(place, signer, letter, user, message, becomes, stays):
    Letter.objects.update(to=user.email)
    assert tell(notification(signer, message)) == 200
    assert (state(), is_verified(user)) == (becomes, stays)


def test_six_letters_in_a_row_that_come_back_for_now_unverify_the_address(place, signer, letter, user):
    Letter.objects.update(to=user.email)
    for number in range(6):
        assert is_verified(user)
        message = notification(signer, bounce("ses-1", "Transient"), MessageId=f"soft-{number}")
        assert tell(message) == 200
    assert not is_verified(user)


def test_late_news_of_an_earlier_state_change_nothing(place, signer, letter):
    for number, (message, becomes) in enumerate(
        [
            (event("Delivery", "ses-1"), State.DELIVERED),
            (bounce("ses-1", "Transient"), State.DELIVERED),
            (event("Complaint", "ses-1"), State.COMPLAINED),
            (event("Delivery", "ses-1"), State.COMPLAINED),
        ]
    ):
        assert tell(notification(signer, message, MessageId=f"news-{number}")) == 200
        assert state() == becomes


@pytest.mark.django_db(transaction=True)
def test_one_message_many_times_at_once_takes_effect_once(place, signer, letter, user):
    Letter.objects.update(to=user.email)
    message = notification(signer, bounce("ses-1", "Transient"))
    statuses = []

    def one() -> None:
        try:
            statuses.append(tell(message))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 10
    assert user.emailaddress_set.get().state.transient_bounces == 1
    assert Notification.objects.count() == 1


BAD_ADDRESSES = [
    "",
    "SimpleNotificationService-01.pem",
    f"http://{HOST}/SimpleNotificationService-01.pem",
    f"HTTPS://{HOST}/SimpleNotificationService-01.pem",
    f"https://user@{HOST}/SimpleNotificationService-01.pem",
    f"https://{HOST}@evil.example/SimpleNotificationService-01.pem",
    f"https://{HOST}:443/SimpleNotificationService-01.pem",
    f"https://{HOST}:8443/SimpleNotificationService-01.pem",
    f"https://{HOST}.evil.example/SimpleNotificationService-01.pem",
    f"https://evil.example/{HOST}/SimpleNotificationService-01.pem",
    f"https://evil{HOST}/SimpleNotificationService-01.pem",
    f"https://{HOST}./SimpleNotificationService-01.pem",
    "https://sns.us-east-1.amazonaws.com.evil/SimpleNotificationService-01.pem",
    "https://sns.us-east-1.amazonaws.comevil/SimpleNotificationService-01.pem",
    "https://sns.us-east-1.amazonaws.com.cn.evil/SimpleNotificationService-01.pem",
    "https://sns-us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
    "https://sns.us-east-1xamazonaws.com/SimpleNotificationService-01.pem",
    "https://sns.evil.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
    "https://sns.s3.amazonaws.com/SimpleNotificationService-01.pem",
    "https://sns.s3-us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
    "https://s3.amazonaws.com/sns/SimpleNotificationService-01.pem",
    "https://bucket.s3.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
    f"https://{HOST}/",
    f"https://{HOST}/evil.pem",
    f"https://{HOST}/SimpleNotificationService-01.pem?x=.pem",
    f"https://{HOST}/SimpleNotificationService-01.pem#.pem",
    f"https://{HOST}/SimpleNotificationService-../../x.pem",
    f"https://{HOST}/x/SimpleNotificationService-01.pem",
    f"https://{HOST}\\@evil.example/SimpleNotificationService-01.pem",
    f"https://{HOST}/SimpleNotificationService-01.pem\n",
    f" https://{HOST}/SimpleNotificationService-01.pem",
    f"https://{HOST}/SimpleNotificationService-01.exe",
    "https://sns.us-east-\u0661.amazonaws.com/SimpleNotificationService-01.pem",
    "https://169.254.169.254/SimpleNotificationService-01.pem",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_no_certificate_is_fetched_from_elsewhere(place, signer, letter, url):
    assert tell(notification(signer, event("Delivery", "ses-1"), SigningCertURL=url)) == 400
    assert (state(), place.asked) == (State.SENT, [])


def moment(**ago):
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


@pytest.mark.parametrize(
    "changed",
    [
        {"TopicArn": TOPIC + "s"},
        {"TopicArn": "arn:aws:sns:us-east-1:999999999999:letters"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Timestamp": timedelta(minutes=61)},
        {"Timestamp": timedelta(minutes=-6)},
        {"Timestamp": "yesterday"},
        {"Timestamp": "2026-05-04T10:00:00"},
        {"Type": "UnsubscribeConfirmation"},
        {"MessageId": ""},
        {"MessageId": "x" * 101},
    ],
    ids=str,
)
def test_what_is_not_of_our_topic_and_of_now_is_refused_before_anything_is_fetched(place, signer, letter, changed):
    if isinstance(ago := changed.get("Timestamp"), timedelta):
        changed = {"Timestamp": (datetime.now(UTC) - ago).isoformat()}
    assert tell(notification(signer, event("Delivery", "ses-1"), **changed)) == 400
    assert (state(), place.asked) == (State.SENT, [])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 100_000], ids=lambda body: repr(body)[:12]
)
def test_what_is_no_message_is_refused(place, letter, body):
    assert tell(body) == 400


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Subject"])
def test_what_was_changed_on_the_way_is_refused(place, signer, letter, name):
    message = notification(signer, event("Delivery", "ses-1"))
    message[name] = moment(seconds=1) if name == "Timestamp" else event("Complaint", "ses-1")[:90]
    assert tell(message) == 400
    assert state() == State.SENT


@pytest.mark.parametrize("signature", ["", "!!", "AAAA", "é"])
def test_another_signature_is_refused(place, signer, letter, signature):
    assert tell(notification(signer, event("Delivery", "ses-1")) | {"Signature": signature}) == 400
    assert tell(notification(Signer(), event("Delivery", "ses-1"))) == 400
    assert state() == State.SENT


def test_a_kind_that_differs_between_head_and_body_is_refused(place, signer, letter):
    message = notification(signer, event("Delivery", "ses-1"))
    assert [tell(message, kind) for kind in ("SubscriptionConfirmation", "", "Other")] == [400] * 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        event("Delivery", "ses-2"),
        event("Delivery", ""),
        event("Open", "ses-1"),
        event("Bounce", "ses-1"),
    ],
)
def test_news_of_unknown_letters_or_kinds_are_refused_and_may_come_again(place, signer, letter, text):
    assert tell(notification(signer, text)) == 400
    assert Notification.objects.count() == 0


def test_while_the_certificate_cannot_be_had_the_message_is_to_come_again(place, signer, letter):
    message = notification(signer, event("Delivery", "ses-1"))
    for place.status in (302, 404, 500):
        assert tell(message) == 503
    place.status, pem, place.content = 200, place.content, b"no certificate"
    assert tell(message) == 503
    place.content = pem
    assert tell(message) == 200
    assert len(place.asked) == 5


def test_without_a_topic_there_is_no_such_address(letter, settings, signer):
    message = notification(signer, event("Delivery", "ses-1"))
    for url in ("ses://us-east-1", f"file://{settings.PACKHOUSE.home}/outbox"):
        settings.PACKHOUSE = with_mail(url)
        assert tell(message) == 404


# Against a stand-in for Amazon's interfaces


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """The address of a server that speaks for SES and SNS."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def keys(settings, amazon):
    settings.PACKHOUSE = with_mail(f"ses://key:s%2Fcret@us-east-1?topic={TOPIC}&endpoint={amazon}")
    return {"region_name": "us-east-1", "endpoint_url": amazon, "aws_access_key_id": "k", "aws_secret_access_key": "s"}


def test_a_letter_leaves_through_ses_under_the_name_that_ses_gives(db, keys):
    letter = post_one(is_secret=True)
    assert deliver() == ["waiting"]  # the sender is not known there yet
    assert "MessageRejected" in Letter.objects.get().last_error
    assert "The first paragraph" not in Letter.objects.get().last_error
    boto3.client("sesv2", **keys).create_email_identity(EmailIdentity="packhouse@localhost")
    assert deliver() == ["done"]
    letter.refresh_from_db()
    assert (letter.state, letter.text) == (State.SENT, "")
    assert letter.provider_id


def test_the_subscription_is_confirmed_by_the_interface_and_never_by_the_address_in_the_message(place, signer, keys):
    boto3.client("sns", **keys).create_topic(Name="letters")
    address = f"https://{HOST}/?Action=ConfirmSubscription"
    wish = notification(signer, "", Type="SubscriptionConfirmation", Token="t0ken", SubscribeURL=address)
    assert tell(wish, "SubscriptionConfirmation") == 200
    assert place.asked == ["/SimpleNotificationService-0123456789abcdef.pem"]


def test_a_subscription_that_cannot_be_confirmed_is_to_come_again(place, signer, settings):
    settings.PACKHOUSE = with_mail(f"ses://key:secret@us-east-1?topic={TOPIC}&endpoint=http://127.0.0.1:{free_port()}")
    wish = notification(signer, "", Type="SubscriptionConfirmation", Token="t", SubscribeURL="https://x.example/")
    assert tell(wish, "SubscriptionConfirmation") == 503

"""The ways out of the house: a folder, a mail server, Amazon SES."""

import os
import secrets
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from packhouse.base.durable import make_folder, sync_files, sync_folder
from packhouse.mail.models import Letter
from packhouse.mail.sns import Unavailable

TIMEOUT: Final = 20.0


class Refused(Exception):
    """The other side will not take this letter, now or later."""


class Port(Protocol):
    """Takes letters out."""

    @property
    def keeps_text(self) -> bool:
        """Whether what is handed over stays readable by the operator anyway."""
        ...

    @property
    def at_once(self) -> int:
        """How many letters may be handed over before that is written down.

        More than one only where a letter that comes twice is there once: whoever was killed in between begins anew.
        """
        ...

    def hand_over(self, letter: Letter) -> str:
        """Hand *letter* over; returns the name it goes by from now on.  Raises ``Refused``, or whatever went wrong."""
        ...

    def settle(self) -> None:
        """Wait until all that was handed over has left for good.  Raises what went wrong: then some of it may have."""
        ...

    def probe(self) -> str:
        """A word on how it is; raises when it does not answer."""
        ...

    def forget(self, before: datetime) -> None:
        """Delete what is kept of letters written before then."""
        ...


def plugged_in() -> Port:
    """The port that ``Config.mail`` names."""
    url = urlsplit(settings.PACKHOUSE.mail)
    if url.scheme == "file":
        return Outbox(Path(unquote(url.path)))
    return Ses.from_url(url) if url.scheme == "ses" else MailServer.from_url(url)


def message_of(letter: Letter) -> EmailMultiAlternatives:
    """*letter* as a message; the same letter makes the same Message-ID each time (RFC 5322, section 3.6.4)."""
    config = settings.PACKHOUSE
    domain = config.mail_from.rpartition("@")[2]
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=formataddr((config.site_name, config.mail_from)),
        to=[letter.to],
        headers={
            "Message-ID": f"<{letter.uid}@{domain}>",
            "Date": format_datetime(letter.created_at.astimezone(UTC)),
            "Auto-Submitted": "auto-generated",  # RFC 3834: answers to absent people would go round in circles
            "X-Auto-Response-Suppress": "All",
            "Content-Language": letter.language,
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder that gets a file for each letter, whole and on disk, or none.

    The disk is waited for when letters are settled, for all of them together.
    """

    folder: Path
    keeps_text: bool = True
    at_once: int = 50
    _drafts: dict[Path, Path] = field(default_factory=dict)
    """What is written and not settled, with the name that it will have."""

    def hand_over(self, letter: Letter) -> str:
        self._make_folder()
        target = self.folder / f"{letter.created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{letter.uid}.eml"
        draft = self.folder / f".{target.name}.{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file, _removed_if_it_fails([draft]):
            file.write(message_of(letter).message().as_bytes(linesep="\r\n"))
            file.flush()
        self._drafts[draft] = target
        return target.name

    def settle(self) -> None:
        drafts = dict(self._drafts)
        self._drafts.clear()
        with _removed_if_it_fails(drafts):
            sync_files(list(drafts))
            for draft, target in drafts.items():
                draft.replace(target)
            if drafts:
                sync_folder(self.folder)

    def probe(self) -> str:
        self._make_folder()
        return f"{sum(1 for _ in self.folder.glob('*.eml'))} letters"

    def forget(self, before: datetime) -> None:
        for path in [*self.folder.glob("*.eml"), *self.folder.glob(".*.eml.*")]:
            with suppress(FileNotFoundError):  # the operator may tidy up too
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()

    def _make_folder(self) -> None:
        make_folder(self.folder, 0o700)


@contextmanager
def _removed_if_it_fails(drafts: Iterable[Path]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server (RFC 5321).

    Unless ``is_insecure``, nothing but EHLO and STARTTLS is said before the line is encrypted and the server's
    certificate checked: whoever strips STARTTLS from its answer (RFC 3207, section 6) gets no word of the letter.
    """

    host: str
    port: int
    user: str
    password: str
    is_tls: bool
    is_insecure: bool
    keeps_text: bool = False
    at_once: int = 1

    @classmethod
    def from_url(cls, url: SplitResult) -> "MailServer":
        is_tls = url.scheme == "smtps"
        return cls(
            host=url.hostname or "",
            port=url.port or (465 if is_tls else 587),
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            is_tls=is_tls,
            is_insecure="insecure" in dict(parse_qsl(url.query)),
        )

    def hand_over(self, letter: Letter) -> str:
        message = message_of(letter).message()
        sender = settings.PACKHOUSE.mail_from
        try:
            with self._connected() as server:
                refused = server.send_message(message, sender, [_ascii(letter.to)])
        except smtplib.SMTPResponseException as error:
            raise _verdict(error.smtp_code, error.smtp_error, error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _verdict(code, answer, error) from error
        assert not refused  # with one recipient it is all or an exception
        return str(message["Message-ID"])

    def settle(self) -> None:
        """What the server has taken has left."""

    def probe(self) -> str:
        with self._connected():
            return "unencrypted" if self.is_insecure and not self.is_tls else "encrypted"

    def forget(self, before: datetime) -> None:
        """Nothing is kept here."""

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        name = urlsplit(settings.PACKHOUSE.public_url).hostname or "localhost"
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(self.host, self.port, name, timeout=TIMEOUT, context=context)
            if self.is_tls
            else smtplib.SMTP(self.host, self.port, name, timeout=TIMEOUT)
        )
        try:
            if not self.is_tls and not self.is_insecure:
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            yield server
        finally:
            _part(server)


def _part(server: smtplib.SMTP) -> None:
    """Say goodbye.  Whatever the answer is, what was handed over has been taken."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _ascii(address: str) -> str:
    """*address* for the envelope, with its domain as DNS knows it."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}" if not domain.isascii() else address


def _verdict(code: int, answer: bytes | str, error: Exception) -> Exception:
    """What a reply means (RFC 5321, section 4.2.1): 5yz to a letter is final; a refused login is ours to mend."""
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    text = " ".join(f"{code} {words}".split())
    is_about_us = isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError)
    if 500 <= code < 600 and not is_about_us and not isinstance(error, smtplib.SMTPSenderRefused):
        return Refused(text)
    return RuntimeError(f"{type(error).__name__}: {text}")


@dataclass(frozen=True, slots=True)
class Ses:
    """Amazon SES, by django-anymail.  Without a key in the address, AWS's usual places are asked for one."""

    region: str
    client: Mapping[str, Any]
    topic: str
    configuration_set: str | None
    keeps_text: bool = False
    at_once: int = 1

    @classmethod
    def from_url(cls, url: SplitResult) -> "Ses":
        options = dict(parse_qsl(url.query))
        region = url.hostname or ""
        client: dict[str, Any] = {"region_name": region}
        if url.username:
            client |= {"aws_access_key_id": unquote(url.username), "aws_secret_access_key": unquote(url.password or "")}
        if "endpoint" in options:
            client["endpoint_url"] = options["endpoint"]
        return cls(region, client, options.get("topic", ""), options.get("configuration_set"))

    def hand_over(self, letter: Letter) -> str:
        from anymail.exceptions import AnymailAPIError  # noqa: PLC0415  # boto3 takes a second to import

        message = message_of(letter)
        try:
            self._backend().send_messages([message])
        except AnymailAPIError as error:
            code = str((error.response or {}).get("Error", {}).get("Code", ""))
            if code == "BadRequestException":  # MessageRejected also means that our own address is not known there
                raise Refused(f"{code}: {_brief(error)}") from error
            raise RuntimeError(_brief(error)) from error
        return str(message.anymail_status.message_id)  # type: ignore[attr-defined]

    def settle(self) -> None:
        """What the service has taken has left."""

    def probe(self) -> str:
        backend = self._backend()
        backend.open()
        try:
            quota = backend.client.get_account()["SendQuota"]
        finally:
            backend.close()
        return f"{quota['SentLast24Hours']:.0f} of {quota['Max24HourSend']:.0f} letters in 24 hours"

    def forget(self, before: datetime) -> None:
        """Nothing is kept here."""

    def confirm_subscription(self, token: str) -> None:
        """Tell SNS that its topic's messages are wanted here; by its interface, never by the address it sends along.

        From then on only somebody with our key can end the subscription.  Raises ``Unavailable``.
        """
        import boto3  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        client = boto3.client("sns", **{**self.client, "region_name": self.topic.split(":")[3]})
        try:
            client.confirm_subscription(TopicArn=self.topic, Token=token, AuthenticateOnUnsubscribe="true")
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"the subscription cannot be confirmed: {type(error).__name__}") from error

    def _backend(self) -> Any:
        from anymail.backends.amazon_ses import EmailBackend  # noqa: PLC0415

        return EmailBackend(client_params=dict(self.client), configuration_set_name=self.configuration_set)


def _brief(error: Exception) -> str:
    """The first line of *error*: anymail goes on with the whole letter, which belongs into no log."""
    return str(error).partition("\n")[0][:300]

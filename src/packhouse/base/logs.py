"""Logs: one stream, on stderr, for our own messages, Django's and every library's.

People at a terminal get coloured lines, everything else gets JSON, one object a line.  No log holds a credential:
values under telling names and whatever looks like a token are masked, and of a request only what ``AccessLine`` has
is written.
"""

import itertools
import logging
import os
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

# structlog takes rich for its tracebacks wherever that is installed: 7 MiB and 150 ms in every process, and tracebacks
# that show local variables, in which credentials stand.
_rich = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402
from structlog.typing import EventDict, Processor  # noqa: E402

if _rich is None:
    del sys.modules["rich"]

HIDDEN: Final = "(hidden)"
SECRET_NAMES: Final = re.compile(
    r"authori[sz]ation|cookie|passw|passphrase|secret|api_?key|csrf|credential|session_?key|macaroon|^(.*_)?token$|^otp$",
    re.IGNORECASE,
)
SECRET_PATHS: Final = re.compile(r"(?<=/setup/)[^/\s?\"']+|(?<=/key/)[^/\s?\"']+|(?<=confirm-email/)[^/\s?\"']+")
SCHEMES: Final = re.compile(r"\b(Basic|Bearer|Token)\s+[A-Za-z0-9+/=._~:-]{8,}", re.IGNORECASE)
USER_INFO: Final = re.compile(r"(?<=://)[^/@\s\"']+@")
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
QUIET: Final = {"django.request": logging.ERROR, "django.db.backends": logging.WARNING, "asyncio": logging.WARNING}

request_id: ContextVar[str] = ContextVar("request_id", default="")
_numbers = itertools.count(secrets.randbits(24))
_process = f"{secrets.randbits(40):010x}"
_token: re.Pattern[str] = re.compile(r"\b(?:packhouse|pypi)-[A-Za-z0-9_-]{20,}")


def _renew_process() -> None:
    global _process  # noqa: PLW0603 (each forked process numbers its requests by itself)
    _process = f"{secrets.randbits(40):010x}"


os.register_at_fork(after_in_child=_renew_process)


def new_request_id() -> str:
    """An id no other request of this installation has; cheap, and no secret."""
    return f"{_process}{next(_numbers):08x}"


def configure(form: str = "auto", level: str = "info", token_prefix: str = "packhouse") -> None:  # noqa: S107
    """Sends all logging of this process to stderr, as *form* (``auto``, ``human``, ``json``) from *level* upwards."""
    global _token  # noqa: PLW0603 (one log a process)
    _token = re.compile(rf"\b(?:{re.escape(token_prefix)}|packhouse|pypi)-[A-Za-z0-9_-]{{20,}}")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, _renderer(form)],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.root.level))


class StderrHandler(logging.Handler):
    """Writes to what is stderr at that moment, a line at a time."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 (a log that cannot be written stops nothing)
            self.handleError(record)


def is_human(form: str) -> bool:
    """Whether *form* means lines for people, here and now."""
    return form == "human" or (form == "auto" and sys.stderr.isatty())


def mask(text: str) -> str:
    """*text* without tokens, passwords in addresses, and one-time links."""
    text = _token.sub(HIDDEN, text)
    text = SCHEMES.sub(HIDDEN, text)
    text = USER_INFO.sub("", text)
    return SECRET_PATHS.sub(HIDDEN, text)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last processor but one: no credential and no control character passes."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    text = mask(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
    return text if name in {"exception", "stack"} else CONTROLS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> MutableMapping[str, Any]:
    if current := request_id.get():
        event["request_id"] = current
    return event


def _renderer(form: str) -> Processor:
    if is_human(form):
        plain = structlog.dev.plain_traceback
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=plain)
    return structlog.processors.JSONRenderer(ensure_ascii=False)

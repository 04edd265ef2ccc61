"""The XML-RPC methods that mirrors and scripts call, and the faults of those that are no more."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xmlrpc.client import Fault

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from packhouse.base.outages import is_outage
from packhouse.index import rows, xmlrpc
from packhouse.projects.models import JournalEntry, Project, Role
from packhouse.specs.names import normalize

log = structlog.get_logger(__name__)

MULTICALL = "system.multicall"
MOST_CALLS = 100
"""Calls in one ``system.multicall``."""
MOST_BYTES = 8 * 1024**2
"""After so many bytes of its answer, calls are no longer answered."""
MOST_CHANGES = 50_000
_ROWS_AT_ONCE = 5000
_ANY = object
Charge = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its parameters with their types, how many of them must be given, and what renders its value."""

    call: Callable[..., Iterable[bytes]]
    parameters: Mapping[str, type]
    required: int

    def check(self, given: tuple[Any, ...]) -> None:
        """Raises ``Fault`` -32602 when the parameters are not those of the method; types are strict."""
        names = list(self.parameters)
        wrong = [f"{name}: missing" for name in names[len(given) : self.required]]
        wrong += [f"argument {number}: unexpected" for number in range(len(names) + 1, len(given) + 1)]
        for name, value in zip(names, given, strict=False):
            expected = self.parameters[name]
            if expected is not _ANY and type(value) is not expected:
                wrong.append(f"{name}: expected {expected.__name__}, not {type(value).__name__}")
        if wrong:
            raise Fault(xmlrpc.INVALID_PARAMETERS, f"client error; {'; '.join(wrong)}")


def answer(body: bytes, charge: Charge) -> Iterable[bytes]:
    """The response to the call in *body*; what goes wrong before it begins is a fault.

    *charge* uses the caller's limit up by one and raises ``Fault`` where nothing is left; the call itself has been
    charged, those in a ``system.multicall`` have not.
    """
    try:
        call = xmlrpc.read_call(body)
        if call.method == MULTICALL:
            return xmlrpc.answer(multicall(call.parameters, charge))
        return xmlrpc.answer(_value(call))
    except Exception as error:  # noqa: BLE001 - _told logs what is no fault
        return xmlrpc.fault(_told(error))


def _value(call: xmlrpc.Call) -> Iterable[bytes]:
    """What the method says; ``Fault`` where there is no such method, or where it says no."""
    method = METHODS.get(call.method) or _methods_of_others().get(call.method)
    if method is None:
        raise Fault(xmlrpc.UNKNOWN_METHOD, "server error; requested method not found")
    method.check(call.parameters)
    return method.call(*call.parameters)


def _told(error: Exception) -> Fault:
    """*error* as callers see it: nothing of what is ours.  Raises an outage, which is no answer to the call."""
    if isinstance(error, Fault):
        return error
    if is_outage(error):
        raise error
    log.error("xmlrpc.failed", exc_info=error)
    return Fault(xmlrpc.APPLICATION_ERROR, "application error")


def multicall(parameters: tuple[Any, ...], charge: Charge) -> Iterator[bytes]:
    """``system.multicall(calls)``: for each call an array of its one value, or a struct that tells of its fault.

    Each call is charged, all of them before the first is answered.  When the answer has grown too long, the calls that
    are left are faults.
    """
    Method(multicall, {"calls": list}, 1).check(parameters)
    (calls,) = parameters
    if len(calls) > MOST_CALLS:
        raise Fault(xmlrpc.INVALID_PARAMETERS, f"client error; calls: expected at most {MOST_CALLS}")
    return _each([(call, _charged(charge)) for call in calls])


def _charged(charge: Charge) -> Fault | None:
    try:
        charge()
    except Fault as fault:
        return fault
    return None


def _each(calls: Iterable[tuple[Any, Fault | None]]) -> Iterator[bytes]:
    """Rendered one after the other, so that no answer need be held as a whole."""
    yield xmlrpc.ARRAY[0]
    length = 0
    for call, refusal in calls:
        for chunk in _one(call, refusal, length):
            length += len(chunk)
            yield chunk
    yield xmlrpc.ARRAY[1]


def _one(call: Any, refusal: Fault | None, length: int) -> Iterator[bytes]:
    if length > MOST_BYTES:
        refusal = Fault(xmlrpc.APPLICATION_ERROR, "ValueError: The answer is too long. Call this method by itself.")
    if refusal:
        yield from xmlrpc.fault_value(refusal)
        return
    try:
        value = _value(_call_of(call))
    except Exception as error:  # noqa: BLE001 - _told logs what is no fault
        yield from xmlrpc.fault_value(_told(error))
    else:
        yield xmlrpc.ARRAY[0]
        yield from value
        yield xmlrpc.ARRAY[1]


def _call_of(call: Any) -> xmlrpc.Call:
    """The call that a struct of ``system.multicall`` describes."""
    name, parameters = (call.get("methodName"), call.get("params", [])) if isinstance(call, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(parameters, list):
        raise Fault(xmlrpc.INVALID_PARAMETERS, "client error; calls: expected structs of methodName and params")
    if name == MULTICALL:
        raise Fault(xmlrpc.INVALID_PARAMETERS, f"client error; calls: {MULTICALL} cannot call itself")
    return xmlrpc.Call(name, tuple(parameters))


def _methods_of_others() -> Mapping[str, Method]:
    """Methods that need rooms which the index must not know."""
    methods: Mapping[str, Method] = import_string(settings.PACKHOUSE_XMLRPC)
    return methods


def changelog_last_serial() -> list[bytes]:
    return [xmlrpc.number(rows.newest_serial()).encode()]


def changelog_since_serial(serial: int) -> Iterator[bytes]:
    """The next changes after *serial*, at most 50,000: name, version, time, action, serial."""
    return xmlrpc.array(_changes(serial))


def _changes(serial: int) -> Iterator[Iterator[str]]:
    columns = ("id", "name", "version", "created", "action")
    for _ in range(MOST_CHANGES // _ROWS_AT_ONCE):
        entries = JournalEntry.objects.filter(pk__gt=min(serial, 2**62)).order_by("pk")
        found = list(entries.values_list(*columns)[:_ROWS_AT_ONCE])
        yield (_change(*entry) for entry in found)
        if len(found) < _ROWS_AT_ONCE:
            return
        serial = found[-1][0]


def _change(serial: int, name: str, version: str | None, created: Any, action: str) -> str:
    plain = action.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return xmlrpc.row(
        xmlrpc.text(name),
        xmlrpc.nothing() if version is None else xmlrpc.text(version),
        xmlrpc.number(int(created.timestamp())),
        xmlrpc.text(plain),
        xmlrpc.number(serial),
    )


def list_packages_with_serial() -> Iterator[bytes]:
    """All projects, quarantined ones too: display name → serial."""
    return xmlrpc.struct(_projects())


def _projects() -> Iterator[Iterator[tuple[str, str]]]:
    """By id, a page a query: no cursor stays open while a slow client reads."""
    last = 0
    while True:
        page = list(
            Project.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "name", "last_serial")[:_ROWS_AT_ONCE]
        )
        yield ((name, xmlrpc.number(serial)) for _, name, serial in page)
        if len(page) < _ROWS_AT_ONCE:
            return
        last = page[-1][0]


def package_roles(package_name: str) -> Iterator[bytes]:
    """Role and user name, owners first."""
    project = Project.objects.filter(normalized_name=normalize(package_name)).values_list("pk", flat=True)
    roles = rows.roles(project)
    return xmlrpc.array([[xmlrpc.row(xmlrpc.text(role), xmlrpc.text(user)) for _, role, user in roles]])


def user_packages(username: str) -> Iterator[bytes]:
    """Role and display name of the user's projects, owned ones first."""
    roles = Role.objects.filter(user__username__iexact=username, user__is_active=True).values_list(
        "name", "project__name"
    )
    ordered = sorted(roles, key=lambda role: (role[0] != Role.Name.OWNER, role[1]))
    return xmlrpc.array([[xmlrpc.row(xmlrpc.text(role), xmlrpc.text(name)) for role, name in ordered]])


def _gone(text: str, parameters: Mapping[str, type], required: int, exception: str = "RuntimeError") -> Method:
    """A method that is no more: its parameters are still checked, then it says what to use instead."""

    def refuse(*_: Any) -> Iterable[bytes]:
        raise Fault(xmlrpc.APPLICATION_ERROR, f"{exception}: {text}")

    return Method(refuse, parameters, required)


_RELEASE = {"package_name": str, "version": str}
_USE_JSON = "This method is no longer supported. Use the JSON API or the Simple API instead."

METHODS: dict[str, Method] = {
    "changelog_last_serial": Method(changelog_last_serial, {}, 0),
    "changelog_since_serial": Method(changelog_since_serial, {"serial": int}, 1),
    "list_packages_with_serial": Method(list_packages_with_serial, {}, 0),
    "package_roles": Method(package_roles, {"package_name": str}, 1),
    "user_packages": Method(user_packages, {"username": str}, 1),
    "list_packages": _gone("This method is no longer supported. Use the Simple API instead.", {}, 0),
    "package_releases": _gone(_USE_JSON, {"package_name": str, "show_hidden": _ANY}, 1),
    "release_urls": _gone(_USE_JSON, _RELEASE, 2),
    "release_data": _gone(_USE_JSON, _RELEASE, 2),
    "package_data": _gone(_USE_JSON, _RELEASE, 2),
    "package_urls": _gone(_USE_JSON, _RELEASE, 2),
    "top_packages": _gone("This index does not count downloads here.", {"num": _ANY}, 0),
    "changelog": _gone("Use changelog_since_serial instead.", {"since": int, "with_ids": _ANY}, 1, "ValueError"),
}

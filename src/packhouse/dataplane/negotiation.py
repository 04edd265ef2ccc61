"""Choosing a representation: media type by ``Accept``, encoding by ``Accept-Encoding`` (RFC 9110 §12, PEP 691).

Clients send the same few header values over and over, so answers are remembered by value.
"""

import re
from functools import lru_cache
from typing import Literal

Format = Literal["html", "json"]
Encoding = Literal["identity", "gzip", "zstd"]

HTML = "text/html"
V1_HTML = "application/vnd.pypi.simple.v1+html"
V1_JSON = "application/vnd.pypi.simple.v1+json"
JSON = "application/json"
INTEGRITY = "application/vnd.pypi.integrity.v1+json"
OFFERS = (HTML, V1_HTML, V1_JSON)
_ALIASES = {
    "application/vnd.pypi.simple.latest+html": V1_HTML,
    "application/vnd.pypi.simple.latest+json": V1_JSON,
}
_LONGEST = 1000
_RANGE = re.compile(r"^([!#$%&'*+.^_`|~0-9a-z-]+)/([!#$%&'*+.^_`|~0-9a-z-]+)$")
_WEIGHT = re.compile(r"^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$")


def media_type(accept: str | None, override: str | None = None) -> str:
    """The media type of a simple page for the value of ``Accept`` or, before it, of ``?format=``.

    The highest weight wins, ties go to the order of ``OFFERS``; nothing acceptable means ``text/html``: never a 406.
    """
    if override is not None:
        wanted = _ALIASES.get(override, override)
        if wanted in OFFERS:
            return wanted
    return HTML if accept is None or len(accept) > _LONGEST else _media_type(accept)


@lru_cache(maxsize=512)
def _media_type(accept: str) -> str:
    ranges = list(_ranges(accept.lower()))
    best, best_weight = HTML, 0.0
    for offer in OFFERS:
        weight = _weight_of(offer, ranges)
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


@lru_cache(maxsize=64)
def integrity_type(accept: str | None) -> str | None:
    """The media type of a provenance object for the value of ``Accept``; None where neither of the two will do."""
    if accept is None:
        return INTEGRITY
    ranges = list(_ranges(accept.lower())) if len(accept) <= _LONGEST else []
    weights = {offer: _weight_of(offer, ranges) for offer in (INTEGRITY, JSON)}
    best = max(weights, key=lambda offer: weights[offer])
    return best if weights[best] > 0 else None


def _ranges(header: str) -> "list[tuple[str, bool, float]]":
    """(media range, has parameters, weight) for each readable element of ``Accept``."""
    found = []
    for element in header.split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        weight, others = 1.0, False
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = float(value) if _WEIGHT.match(value.strip()) else 0.0
            else:
                others = True
        if _RANGE.match(name):
            found.append((_ALIASES.get(name, name), others, weight))
    return found


def _weight_of(offer: str, ranges: "list[tuple[str, bool, float]]") -> float:
    """The weight of *offer*: that of the most specific range that matches; parameters match none of our types."""
    family = offer.partition("/")[0] + "/*"
    for candidate in (offer, family, "*/*"):
        weights = [weight for name, parameters, weight in ranges if name == candidate and not parameters]
        if weights:
            return weights[0]
    return 0.0


def encoding(accept_encoding: str | None, available: tuple[Encoding, ...] = ("zstd", "gzip")) -> Encoding:
    """The content coding for the value of ``Accept-Encoding`` among *available* (best first) and identity."""
    if accept_encoding is None or len(accept_encoding) > _LONGEST:
        return "identity"
    return _encoding(accept_encoding, available)


@lru_cache(maxsize=512)
def _encoding(header: str, available: tuple[Encoding, ...]) -> Encoding:
    weights: dict[str, float] = {}
    for element in header.lower().split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = float(value) if _WEIGHT.match(value.strip()) else 0.0
        weights.setdefault("gzip" if name == "x-gzip" else name, weight)
    best: Encoding = "identity"
    best_weight = 0.0
    for coding in available:
        weight = weights.get(coding, weights.get("*", 0.0))
        if weight > best_weight:
            best, best_weight = coding, weight
    return best if best_weight >= weights.get("identity", 0.0) else "identity"

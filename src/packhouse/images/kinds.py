"""What a picture is, by its bytes: what its origin calls it is not believed.

Raster pictures are passed on as they are.  SVG is a document: it is parsed, what could run, ask or lead elsewhere is
left out, and what is left is written anew.  It is sent with a policy that forbids all of this once more.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

SVG: Final = "image/svg+xml"
SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)
BRANDS: Final = {b"avif": "image/avif", b"avis": "image/avif"}
SVG_SPACE: Final = "http://www.w3.org/2000/svg"
LINK_SPACE: Final = "http://www.w3.org/1999/xlink"
XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace"
DEEPEST: Final = 200
FORBIDDEN: Final = frozenset(
    {"script", "foreignobject", "iframe", "object", "embed", "audio", "video", "canvas", "handler", "listener", "set"}
)
"""``set`` and animations can give an attribute another value later: see ``_animates_a_link`` for the others."""
EMBEDDED: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
ELSEWHERE: Final = re.compile(r"url\s*+\(\s*+['\"]?+\s*+(?!#)|@import|expression\s*\(|javascript:|\\", re.IGNORECASE)
"""What makes a style lead out of the picture; ``\\`` writes any of it in another way."""

register_namespace("", SVG_SPACE)
register_namespace("xlink", LINK_SPACE)


def recognised(data: bytes) -> tuple[str, bytes]:
    """The media type of *data*, and the bytes to show.  Raises ``ValueError`` for what is no picture."""
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            return kind, data
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", data
    if data[4:8] == b"ftyp" and data[8:12] in BRANDS:
        return BRANDS[data[8:12]], data
    return SVG, cleaned_svg(data)


def cleaned_svg(data: bytes) -> bytes:
    """An SVG document without scripts, handlers, links and what is elsewhere.  Raises ``ValueError`` for others."""
    try:
        root = fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, RecursionError, LookupError) as error:
        raise ValueError("it is no picture that browsers show") from error
    if root.tag not in {f"{{{SVG_SPACE}}}svg", "svg"}:
        raise ValueError("it is a document, but no picture")
    if root.tag == "svg":
        raise ValueError("it is SVG without its namespace, which browsers do not show")
    _clean(root, 0)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _clean(element: Element, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    for name in [name for name, value in element.attrib.items() if not _is_harmless(name, value)]:
        del element.attrib[name]
    if element.tag == f"{{{SVG_SPACE}}}style" and ELSEWHERE.search("".join(element.itertext())):
        element.clear()
    for child in list(_unwanted(element)):
        _remove(element, child)
    for child in element:
        _clean(child, depth + 1)


def _unwanted(element: Element) -> Iterator[Element]:
    for child in element:
        if not isinstance(child.tag, str) or not child.tag.startswith(f"{{{SVG_SPACE}}}"):
            yield child  # a comment, an instruction, or of another language
        elif child.tag.rpartition("}")[2].lower() in FORBIDDEN or _animates_a_link(child):
            yield child


def _remove(parent: Element, child: Element) -> None:
    """Removes *child* but not the text after it."""
    at = list(parent).index(child)
    if child.tail and at:
        parent[at - 1].tail = (parent[at - 1].tail or "") + child.tail
    elif child.tail:
        parent.text = (parent.text or "") + child.tail
    parent.remove(child)


def _animates_a_link(element: Element) -> bool:
    name = element.attrib.get("attributeName", "").strip().lower()
    return "href" in name or name.startswith("on")


def _is_harmless(name: str, value: str) -> bool:
    space, _, local = name.rpartition("}")
    local = local.lower()
    if local.startswith("on") or space not in {"", f"{{{LINK_SPACE}", f"{{{XML_SPACE}"}:
        return False
    if local == "base":
        return False
    if local in {"href", "src"}:
        return value.strip().startswith("#") or EMBEDDED.fullmatch(value.strip()) is not None
    return ELSEWHERE.search(value) is None

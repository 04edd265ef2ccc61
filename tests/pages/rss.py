"""RSS 2.0 by the letter of its specification: what a lenient reader forgives is found here."""

import re
import xml.etree.ElementTree as ET
from datetime import datetime
from urllib.parse import urlsplit

ATOM = "{http://www.w3.org/2005/Atom}link"
CHANNEL = {"title": 1, "link": 1, "description": 1, "language": 1, ATOM: 1}
ITEM = {"title", "link", "guid", "description", "author", "pubDate"}
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"[0-2]\d:[0-5]\d:[0-6]\d GMT"
)


def faults(content: bytes, address: str) -> list[str]:
    """What is wrong with the feed at *address*; empty for a valid one."""
    root = ET.fromstring(content)
    channels = list(root)
    if root.tag != "rss" or root.attrib != {"version": "2.0"} or [child.tag for child in channels] != ["channel"]:
        return ["not one channel in one rss of version 2.0"]
    channel = channels[0]
    found = [f"{tag} not once in channel" for tag, number in CHANNEL.items() if len(channel.findall(tag)) != number]
    found += [f"{child.tag} in channel" for child in channel if child.tag not in {*CHANNEL, "item"}]
    found += [f"{tag} is empty" for tag in ("title", "description") if not channel.findtext(tag)]
    found += _not_urls([channel.findtext("link") or ""])
    own = channel.find(ATOM)
    if own is None or own.attrib != {"href": address, "rel": "self", "type": "application/rss+xml"}:
        found.append("the feed does not name itself")
    guids = [item.findtext("guid") for item in channel.findall("item")]
    if len(set(guids)) != len(guids):
        found.append("two items have one guid")
    return found + [fault for item in channel.findall("item") for fault in _faults_of(item)]


def _faults_of(item: ET.Element) -> list[str]:
    tags = [child.tag for child in item]
    found = [f"{tag} in item" for tag in tags if tag not in ITEM]
    found += [f"{tag} twice" for tag in set(tags) if tags.count(tag) > 1]
    found += [f"{child.tag} has what is no text" for child in item if list(child) or child.attrib]
    if not item.findtext("title") and not item.findtext("description"):
        found.append("an item has neither title nor description")
    found += _not_urls([item.findtext("link") or "", item.findtext("guid") or ""])
    author = item.find("author")
    if author is not None and any("@" not in address for address in (author.text or "").split(",")):
        found.append("an author is no e-mail address")
    date = item.findtext("pubDate") or ""
    if not DATE.fullmatch(date) or datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").strftime("%a") != date[:3]:
        found.append(f"pubDate {date!r}")
    return found


def _not_urls(texts: list[str]) -> list[str]:
    def is_url(text: str) -> bool:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isascii() and " " not in text

    return [f"{text!r} is no address" for text in texts if not is_url(text)]

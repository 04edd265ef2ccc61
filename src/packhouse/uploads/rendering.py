"""Rendering descriptions, in a child process that can be stopped.

A description is a program for its renderer: reStructuredText has tables that take minutes and pygments has regular
expressions that never end.  So it runs in a child with limits on processor time and memory for each.  What uses them up
is to blame; a child that is merely kept waiting by a busy machine is not.  The child is kept for the next description,
because importing docutils takes longer than rendering.
This file is also the child's program: run as a script it imports nothing of Packhouse's.
"""

import atexit
import contextlib
import json
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from html import escape
from html.parser import HTMLParser
from importlib.metadata import version
from typing import IO
from urllib.parse import unquote

SECONDS = 10
"""Of processor time, for one description."""
HIGHLIGHT_SECONDS = 2
PATIENCE = 8
"""Times that much, by the clock on the wall, until the machine counts as too busy."""
MEMORY = 1024**3
CHILD_SECONDS = 600
"""Of processor time, after which a child makes room for a fresh one."""
HEAD = struct.Struct(">I")
PREFIX = "description-"
EMPTY_LINK = re.compile(r'<a(?: [a-z]+="[^"]*")+></a>')
SIZE = re.compile("[0-9]{1,4}x[0-9]{0,4}|x[0-9]{1,4}")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
RENAMED = {"aside": "div"}
MEANINGS = dict.fromkeys(("admonition", "topic", "sidebar"), "note")
MEANINGS |= dict.fromkeys(("admonition-title", "topic-title", "sidebar-title"), "note-title")
MEANINGS |= dict.fromkeys(("attention", "caution", "danger", "error", "important", "warning"), "note-grave")
MEANINGS |= {"citation": "footnote"}
"""Classes that docutils gives, and what they are called here."""
MARKS = {
    "div": {"note", "note-grave", "footnote", "line-block", "line"},
    "p": {"note-title"},
    "dl": {"field-list", "option-list"},
}
ALIGNED = {"align-left", "align-center", "align-right"}
ALIGNABLE = ("div", "p", "h2", "h3", "h4", "h5", "h6", "td", "th", "table", "figure")
KEPT_TAGS = frozenset(
    {"a", "abbr", "acronym", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del"}
    | {"details", "div", "dl", "dt", "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd"}
    | {"li", "ol", "p", "pre", "section", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th"}
    | {"thead", "tr", "tt", "ul", "var"}
)
KEPT_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title", "data-size"},
    "abbr": {"title"},
    "acronym": {"title"},
    "ol": {"start"},
    "span": {"data-src", "data-size"},
    "td": {"colspan", "rowspan"},
}


class RenderingFailed(Exception):
    """The description cannot be rendered; the text says why, as far as the renderer tells."""


class RendererUnavailable(Exception):
    """The machine is too busy to render anything right now; it is not the description's fault."""


def render(raw: str, content_type: str = "") -> str:
    """*raw* as HTML that is safe to show; *content_type* as in core metadata, empty for reStructuredText.

    Raises ``RenderingFailed`` and ``RendererUnavailable``.  Markdown and plain text fail only when they take too long.
    """
    answer = _CHILD.ask({"raw": raw, "content_type": content_type or "text/x-rst"})
    if "html" not in answer:
        raise RenderingFailed(answer.get("error", ""))
    return answer["html"]


def highlight(text: str, filename: str) -> list[str] | None:
    """The lines of *text* as HTML that is safe to show, coloured as a file of that name; None where that fails."""
    try:
        answer = _HIGHLIGHTER.ask({"raw": text, "filename": filename})
    except RendererUnavailable:
        return None
    return answer["html"].split("\n") if "html" in answer else None


@cache
def renderer() -> str:
    """What renders, and how: where this has changed, descriptions are to be rendered again."""
    parts = ("readme-renderer", "docutils", "nh3", "Pygments")
    return " ".join(["4", *(f"{part} {version(part)}" for part in parts)])[:100]


@dataclass(slots=True)
class _Child:
    """One renderer for this process, started when needed, used by one thread at a time."""

    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: int = SECONDS
    patience: float = PATIENCE

    def ask(self, question: dict[str, str]) -> dict[str, str]:
        """What the child answers; raises ``RendererUnavailable``."""
        with self.lock:
            for _ in range(2):  # the child of earlier work may be about to end
                process = self._running()
                fresh = self.process is not process
                self.process = process
                answer = self._in_time(process, question | {"seconds": str(self.seconds)})
                if answer is not None:
                    return answer
                self._stop()
                if fresh or process.returncode == -signal.SIGXCPU:
                    break
        return {"error": "Rendering took too much time or memory."}

    def _in_time(self, process: subprocess.Popen[bytes], question: dict[str, str]) -> dict[str, str] | None:
        timer = threading.Timer(self.patience * self.seconds, process.kill)
        timer.start()
        try:
            answer = self._exchange(process, question)
        finally:
            late = not timer.is_alive()
            timer.cancel()
        if answer is None and late:
            self._stop()
            raise RendererUnavailable("Rendering waits too long for a processor.")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is None:
            return self.process
        command = [sys.executable, "-I", __file__]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603

    def close(self) -> None:
        """End the child; the next question starts another one."""
        with self.lock:
            self._stop()

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    with contextlib.suppress(OSError):  # what was still to be written has no reader any more
                        pipe.close()
            self.process.wait()
            self.process = None

    @staticmethod
    def _exchange(process: subprocess.Popen[bytes], question: dict[str, str]) -> dict[str, str] | None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _write(process.stdin, question)
            return _read(process.stdout)
        except (OSError, ValueError):
            return None


_CHILD = _Child()
_HIGHLIGHTER = _Child(seconds=HIGHLIGHT_SECONDS)
atexit.register(_CHILD.close)
atexit.register(_HIGHLIGHTER.close)


def _write(stream: IO[bytes], message: dict[str, str]) -> None:
    data = json.dumps(message).encode()
    stream.write(HEAD.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes]) -> dict[str, str] | None:
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    data = stream.read(HEAD.unpack(head)[0])
    message: dict[str, str] = json.loads(data)
    return message


def _rendered(raw: str, content_type: str) -> dict[str, str]:
    """What the child answers: ``html``, or ``error``."""
    import io  # noqa: PLC0415 - the child alone needs these
    from email.message import Message  # noqa: PLC0415

    from readme_renderer import markdown, rst, txt  # noqa: PLC0415

    header = Message()
    header["Content-Type"] = content_type
    kind, warnings = header.get_content_type(), io.StringIO()
    if kind == "text/x-rst":
        html = rst.render(raw, stream=warnings)
    elif kind == "text/markdown":
        html = markdown.render(raw, variant=str(header.get_param("variant") or "GFM")) or txt.render(raw)
    else:
        html = txt.render(raw)
    if html is None:
        return {"error": warnings.getvalue()[:1000]}
    return {"html": _fitted(html)}


def _fitted(html: str) -> str:
    """*html*, which is safe, made to fit into a page of this site.

    Images become links, so that reading tells nobody else that one reads (within links, a mark that names them: a page
    may show the picture instead, see ``images.marking``); alignment becomes a class; headings begin below that of the
    page and leave no level out; ids and classes cannot be those of the site, and links lead elsewhere or within the
    description.
    """
    import nh3  # noqa: PLC0415
    from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]  # noqa: PLC0415

    classes = {*STANDARD_TYPES.values(), "image"} - {""}
    allowed = {tag: ALIGNED | MARKS.get(tag, set()) for tag in ALIGNABLE}
    allowed |= {"a": {"image"}, "span": classes, "dl": MARKS["dl"]}
    fitting = _Fitting(allowed)
    fitting.feed(html)
    fitting.close()
    cleaned = nh3.clean(
        "".join(fitting.pieces),
        tags=set(KEPT_TAGS),
        attributes=KEPT_ATTRIBUTES,
        allowed_classes=allowed,
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
        link_rel="nofollow ugc noopener",
        url_schemes={"http", "https", "mailto"},
        url_relative=lambda url: f"#{PREFIX}{url[1:]}" if url.startswith("#") else None,
        id_prefix=PREFIX,
    )
    return EMPTY_LINK.sub("", cleaned)


class _Fitting(HTMLParser):
    """Copies HTML, but for what has no place in a page.  What it makes is cleaned afterwards: it need not be safe."""

    def __init__(self, classes: dict[str, set[str]]) -> None:
        super().__init__(convert_charrefs=False)
        self.classes = classes
        self.pieces: list[str] = []
        self.links = 0
        self.ids: set[str] = set()
        self.open: dict[str, list[str]] = {}
        self.above: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "img":
            self.pieces.append(self._image(told))
        elif tag == "input":
            self.pieces.append("☑ " if "checked" in told else "☐ ")
        else:
            self.links += tag == "a"
            self.pieces.append(self._opened(tag, told))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.links -= tag == "a"
        names = self.open.get(tag)
        self.pieces.append(f"</{names.pop() if names else tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")

    def _opened(self, tag: str, told: dict[str, str | None]) -> str:
        """The tag under the name that it has here, with what its classes mean here; an id is given once."""
        classes = set((told.get("class") or "").split())
        name = "code" if tag == "span" and "literal" in classes else RENAMED.get(tag, tag)
        if tag in HEADINGS:
            name = self._heading(tag)
        self.open.setdefault(tag, []).append(name)
        classes = {MEANINGS.get(one, one) for one in classes}
        if told.get("align"):
            classes.add(f"align-{(told['align'] or '').strip().lower()}")
        classes &= self.classes.get(name, set())
        kept = {key: value or "" for key, value in told.items() if key not in {"class", "align"}}
        if kept.get("id", "") in self.ids:
            kept.pop("id", None)
        self.ids.add(kept.get("id", ""))
        if classes:
            kept["class"] = " ".join(sorted(classes))
        attributes = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
        return f"<{name}{attributes}>"

    def _heading(self, tag: str) -> str:
        """One level below the nearest heading before it that is above it."""
        while self.above and self.above[-1] >= tag:
            self.above.pop()
        self.above.append(tag)
        return HEADINGS[min(len(self.above), 5)]

    def _image(self, told: dict[str, str | None]) -> str:
        """A link to the picture, or its words alone where it stands within a link."""
        url, words = told.get("src") or "", (told.get("alt") or "").strip()
        if not words or words == url:  # docutils' way of having no words
            words = unquote(url.partition("?")[0].rpartition("/")[2])[:60].strip() or "image"
        shown = escape(words)
        if not url.startswith(("http://", "https://")):
            return shown
        size = "x".join((told.get(name) or "").removesuffix("px") for name in ("width", "height"))
        rest = f' class="image" data-size="{size}"' if SIZE.fullmatch(size) else ' class="image"'
        if self.links > 0:
            return f'<span data-src="{escape(url)}"{rest}>{shown}</span>'
        return f'<a href="{escape(url)}"{rest}>{shown}</a> '


def _highlighted(text: str, filename: str) -> dict[str, str]:
    """*text* with a span for each token; every line stands alone, with its spans closed."""
    from pygments import highlight as highlighted  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.lexers import get_lexer_for_filename  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        lexer = get_lexer_for_filename(filename, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return {"error": "No lexer knows files of that name."}
    return {"html": highlighted(text, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n")}


def _answered(question: dict[str, str]) -> dict[str, str]:
    if "filename" in question:
        return _highlighted(question["raw"], question["filename"])
    return _rendered(question["raw"], question["content_type"])


def _allow(seconds: int) -> None:
    """Let the kernel end this process after that much more processor time."""
    end, most = int(time.process_time()) + 1 + seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (end if most == resource.RLIM_INFINITY else min(end, most), most))


def _serve() -> None:
    """The child's life: one description after the other, until its parent goes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while time.process_time() < CHILD_SECONDS and (question := _read(sys.stdin.buffer)):
        _allow(int(question["seconds"]))
        try:
            answer = _answered(question)
        except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001 - any failure is a refusal
            answer = {"error": f"{type(error).__name__} while rendering."}
        _write(sys.stdout.buffer, answer)


if __name__ == "__main__":
    _serve()

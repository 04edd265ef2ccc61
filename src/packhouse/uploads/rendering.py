"""Rendering descriptions, in a child process that can be stopped.

A description is a program for its renderer: reStructuredText has tables that take minutes and pygments has regular
expressions that never end.  So it runs in a child with limits on processor time and memory, which is killed when it
takes too long.  The child is kept for the next description, because importing docutils takes longer than rendering.
This file is also the child's program: run as a script it imports nothing of Packhouse's.
"""

import atexit
import contextlib
import json
import resource
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import IO

SECONDS = 10
MEMORY = 1024**3
CHILD_CPU_SECONDS = 600
HEAD = struct.Struct(">I")


class RenderingFailed(Exception):
    """The description cannot be rendered; the text says why, as far as the renderer tells."""


def render(raw: str, content_type: str = "") -> str:
    """*raw* as HTML that is safe to show; *content_type* as in core metadata, empty for reStructuredText.

    Raises ``RenderingFailed``.  Markdown and plain text fail only when they take too long.
    """
    answer = _CHILD.ask({"raw": raw, "content_type": content_type or "text/x-rst"})
    if "html" not in answer:
        raise RenderingFailed(answer.get("error", ""))
    return answer["html"]


@dataclass(slots=True)
class _Child:
    """One renderer for this process, started when needed, used by one thread at a time."""

    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, question: dict[str, str]) -> dict[str, str]:
        with self.lock:
            for _ in range(2):  # the first child may have used up its time in earlier work
                process = self._running()
                fresh = self.process is not process
                self.process = process
                timer = threading.Timer(SECONDS, process.kill)
                timer.start()
                try:
                    answer = self._exchange(process, question)
                finally:
                    late = not timer.is_alive()
                    timer.cancel()
                if answer is not None:
                    return answer
                self._stop()
                if late or fresh:
                    break
        return {"error": "Rendering took too much time or memory."}

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
atexit.register(_CHILD.close)


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
    return {"html": html}


def _serve() -> None:
    """The child's life: one description after the other, until its parent goes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_CPU_SECONDS, CHILD_CPU_SECONDS))
    while question := _read(sys.stdin.buffer):
        try:
            answer = _rendered(question["raw"], question["content_type"])
        except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001 - any failure is a refusal
            answer = {"error": f"{type(error).__name__} while rendering."}
        _write(sys.stdout.buffer, answer)


if __name__ == "__main__":
    _serve()

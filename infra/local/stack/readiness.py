"""Finding out that a process is ready to serve."""

from __future__ import annotations

import asyncio
import json
import os
from urllib.parse import urlsplit

_PAUSE = 0.1
_LONGEST_LINE = 64 * 1024


class FirstLine:
    """Reads a process's standard output: copies it to its log and waits for the line that says "ready"."""

    def __init__(self, source: int, log: int) -> None:
        self._source = source
        self._log = log
        self._start = b""
        self._loop = asyncio.get_running_loop()
        self._seen: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(source, self._read)

    async def seen(self) -> None:
        """Return when the process has printed a JSON object on a line of its own."""
        await asyncio.shield(self._seen)

    def _read(self) -> None:
        chunk = os.read(self._source, _LONGEST_LINE)
        if not chunk:
            self._close()
            return
        os.write(self._log, chunk)
        if not self._seen.done():
            self._look(chunk)

    def _look(self, chunk: bytes) -> None:
        *lines, self._start = (self._start[-_LONGEST_LINE:] + chunk).split(b"\n")
        if any(_is_object(line) for line in lines):
            self._seen.set_result(None)

    def _close(self) -> None:
        self._loop.remove_reader(self._source)
        os.close(self._source)
        os.close(self._log)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


async def answers(url: str) -> None:
    """Return when ``url`` (http, a loopback address) answers a GET with status 200."""
    while not await _is_ok(url):
        await asyncio.sleep(_PAUSE)


async def _is_ok(url: str) -> bool:
    # A hand-made request: an HTTP library would triple the size of the supervisor.
    parts = urlsplit(url)
    path = parts.path or "/"
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            status = await asyncio.wait_for(reader.readline(), timeout=5)
        finally:
            writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split(b" ")[1:2] == [b"200"]

"""A real browser without a window: Debian's Chromium, driven over its own debugging protocol."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-proxy-server",
    "--metrics-recording-only",
    "--remote-debugging-port=0",
    # Whatever a page asks for, no other machine is found.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def chromium() -> str:
    """Return the path of a Chromium, installed from Debian's packages when there is none."""
    if (found := _located()) is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
            subprocess.run(
                ["apt-get", "-qq", *command],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=600,
            )
    if (found := _located()) is not None:
        return found
    if os.environ.get("CI"):
        pytest.fail("there is no Chromium, and apt-get could not install it")
    pytest.skip("there is no Chromium; on Debian: apt-get install chromium")


def _located() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Tab:
    """One page. ``requests`` are the addresses it asked for, ``complaints`` what its console said."""

    _socket: aiohttp.ClientWebSocketResponse
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, method: str, **parameters: object) -> Any:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, 30)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression on the page; of a promise, what it comes to."""
        result = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, expression: str, seconds: float = 30) -> Any:
        """Return the value of an expression once it is true."""
        for _ in range(int(seconds * 10)):
            if value := await self.evaluate(expression):
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {expression}; console: {self.complaints}")

    async def open(self, address: str) -> None:
        """Go to an address."""
        await self.send("Page.navigate", url=address)

    async def listen(self) -> None:
        """Take what the browser sends until it closes."""
        async for message in self._socket:
            content = message.json()
            if "id" in content:
                self._answers.pop(content["id"]).set_result(content.get("result", content))
                continue
            parameters = content.get("params", {})
            match content["method"]:
                case "Network.requestWillBeSent":
                    self.requests.append(parameters["request"]["url"])
                case "Log.entryAdded":
                    self.complaints.append(parameters["entry"]["text"])
                case "Runtime.exceptionThrown":
                    self.complaints.append(str(parameters["exceptionDetails"]))


@asynccontextmanager
async def opened(profile: Path) -> AsyncIterator[Tab]:
    """Start a browser with a fresh profile and yield its tab."""
    command = [chromium(), *_QUIET, f"--user-data-dir={profile}", "about:blank"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Network", "Runtime", "Log"):
                    await tab.send(f"{domain}.enable")
                yield tab
                listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _port(file: Path) -> int:
    for _ in range(300):
        if lines := _lines(file):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium did not start")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []

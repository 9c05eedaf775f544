"""The API describes itself: the document, and a page that browses it without any other host."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from shared.http.access import TaskCall
from tests.integration.world.endpoints import ALL
from tests.integration.world.gateway import Gateway
from tests.integration.world.world import World
from tests.support.browser import Tab, opened
from tests.support.ports import free_port
from tests.support.stack import ROOT

DOCUMENT = (ROOT / "docs" / "openapi.json").read_bytes()


async def test_the_document_is_served_as_it_was_generated(gateway: Gateway) -> None:
    answer = await gateway.http.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert answer.content == DOCUMENT
    public = {endpoint.path for endpoint in ALL if not isinstance(endpoint.access, TaskCall)}
    assert set(answer.json()["paths"]) == public


async def test_a_client_that_has_the_document_is_not_sent_it_again(gateway: Gateway) -> None:
    etag = (await gateway.http.get("/openapi.json")).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await gateway.http.get("/openapi.json", headers={"If-None-Match": known})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    changed = await gateway.http.get("/openapi.json", headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


async def test_the_viewers_files_are_kept_for_long_and_nothing_else_is_a_file(gateway: Gateway) -> None:
    page = await gateway.http.get("/docs")
    sources = [part.split('"')[0] for part in page.text.split('src="')[1:]]
    assert len(sources) == 2
    for source in sources:
        answer = await gateway.http.get(source)

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    assert "Apache License" in (await gateway.http.get("/docs-assets/LICENSE")).text
    for odd in ("README.md", "..%2Fopenapi.py", "%2e%2e", "viewer"):
        assert (await gateway.http.get(f"/docs-assets/{odd}")).status_code == 404


async def test_the_page_lets_nobody_elses_code_or_frame_in(gateway: Gateway) -> None:
    policy = (await gateway.http.get("/docs")).headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-eval" not in policy


async def test_a_browser_shows_an_endpoint_and_tries_it_without_asking_another_host(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with opened(tmp_path / "profile") as tab:
        await tab.open(f"{gateway.base_url}/docs")
        shown = await _shown_while_scrolling(tab)
        await tab.evaluate("scrollTo(0, 0); location.hash = '#/openapi/openApiDocument'; location.reload()")
        await tab.until("document.querySelector('#operations-openapi-openApiDocument.is-open') !== null")
        await tab.until("document.querySelector('.try-out__btn') !== null")
        await tab.evaluate("document.querySelector('.try-out__btn').click()")
        await tab.until("document.querySelector('.execute') !== null")
        await tab.evaluate("document.querySelector('.execute').click()")
        status = await tab.until(
            "document.querySelector('.live-responses-table tbody .response-col_status')?.innerText"
        )
        requests, complaints = list(tab.requests), list(tab.complaints)

    assert shown == {endpoint.name for endpoint in ALL if not isinstance(endpoint.access, TaskCall)}
    assert status.startswith("200")
    elsewhere = [r for r in requests if urlsplit(r).scheme in ("http", "https", "ws", "wss")]
    assert {urlsplit(request).netloc for request in elsewhere} == {urlsplit(gateway.base_url).netloc}
    assert sum(request.endswith("/openApiDocument") for request in requests) == 1
    assert complaints == []


async def _shown_while_scrolling(tab: Tab) -> set[str]:
    """Return the operations a reader comes past: the viewer keeps only those near the window in the page."""
    await tab.until("document.querySelector('.opblock') !== null")
    seen: set[str] = set()
    while True:
        here = await tab.evaluate(
            "[...document.querySelectorAll('.opblock')].map(block => block.id.split('-').pop())"
        )
        seen.update(here)
        if await tab.evaluate("scrollY + innerHeight >= document.body.scrollHeight - 2"):
            return seen
        await tab.evaluate("new Promise(done => { scrollBy(0, innerHeight / 2); setTimeout(done, 60) })")


async def test_the_document_comes_from_a_cloud_function_too(world: World) -> None:
    port = free_port()
    environment = {**os.environ, **world.gateway.environment, "NO_PROXY": "127.0.0.1"}
    command = ["functions_framework", "--target", "openApiDocument", "--source", "functions/main.py"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port),
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(300):
                try:
                    answer = await http.get("/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        assert answer.json() == json.loads(DOCUMENT)
        assert answer.headers["etag"]
    finally:
        process.terminate()
        await process.wait()


async def test_an_unknown_path_is_refused_like_any_other_request(gateway: Gateway) -> None:
    answer = await gateway.http.post("/nothing")
    head = await gateway.http.head("/nothing")
    preflight = await gateway.http.options("/nothing")
    health = await gateway.http.post("/healthz")

    assert set(answer.json()) == {"success", "error", "requestId"}
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (head.status_code, head.content) == (404, b"")
    assert preflight.status_code == 204
    assert (health.status_code, health.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert health.headers["allow"] == "GET, HEAD, OPTIONS"

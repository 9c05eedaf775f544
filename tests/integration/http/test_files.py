"""Files that runs upload, and links to fetch them by (nodes §7, platform §15.3, decision 0027)."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.execution import ExecutionStatus
from shared.services.files import link
from shared.services.runs.secret import PURPOSE, mint
from shared.store.files import PIECE
from tests.integration.world.installations import Installation
from tests.integration.world.world import World
from tests.unit.http.test_multipart import TYPE, form_of


async def secret_of(world: World, installed: Installation, run: str) -> str:
    key = await world.platform.vault.mac_key(PURPOSE)
    return mint(key, installed.tenant.organization_id, installed.id, run)


async def upload(
    world: World, installed: Installation, run: str, content: bytes, name: str = "a.txt", **fields: str
) -> httpx.Response:
    secret = fields.pop("executionSecret", None) or await secret_of(world, installed, run)
    body = form_of({"executionId": run, "executionSecret": secret, **fields}, name, content)
    headers = {"Content-Type": TYPE}
    return await world.gateway.http.post("/uploadworkflowoutput", content=body, headers=headers)


async def files_of(world: World, installed: Installation, run: str) -> list[dict[str, Any]]:
    state = await world.gateway.status(installed.id, run, installed.key)
    return list(state["files"])


async def fetch(world: World, url: str) -> httpx.Response:
    return await world.gateway.http.get(url)


async def test_a_file_is_uploaded_and_fetched_by_the_link_in_the_status(
    world: World, installed: Installation
) -> None:
    run, content = await installed.record_run(), os.urandom(2 * PIECE + 17)

    answer = await upload(world, installed, run, content, 'Bericht "März".pdf', fieldKey="report")
    (shown,) = await files_of(world, installed, run)
    fetched = await fetch(world, shown["downloadUrl"])

    data = answer.json()
    assert answer.status_code == 200, answer.text
    exactly = {"success", "documentId", "storagePath", "fileName", "fileSize", "mimeType", "requestId"}
    assert set(data) == exactly
    assert (data["fileName"], data["fileSize"]) == ('Bericht "März".pdf', len(content))
    assert {name: value for name, value in shown.items() if name != "downloadUrl"} == {
        "documentId": data["documentId"],
        "fieldKey": "report",
        "fileName": 'Bericht "März".pdf',
        "fileType": "pdf",
        "fileSize": len(content),
        "mimeType": "text/plain",
    }
    assert fetched.status_code == 200
    assert fetched.content == content
    assert fetched.headers["content-type"] == "text/plain"
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in fetched.headers["cache-control"]
    assert "sandbox" in fetched.headers["content-security-policy"]


async def test_the_parameters_win_over_what_the_file_says_of_itself(
    world: World, installed: Installation
) -> None:
    run = await installed.record_run()

    answer = await upload(world, installed, run, b"x", fileName="b/../c.bin", mimeType="image/png")

    assert (answer.json()["fileName"], answer.json()["mimeType"]) == ("b_.._c.bin", "image/png")


async def test_an_identical_upload_that_is_repeated_is_one_file(
    world: World, installed: Installation
) -> None:
    run = await installed.record_run()

    first = await upload(world, installed, run, b"same")
    again = await upload(world, installed, run, b"same")
    other = await upload(world, installed, run, b"other")

    assert first.json()["documentId"] == again.json()["documentId"] != other.json()["documentId"]
    shown = await files_of(world, installed, run)
    assert len(shown) == 2
    assert (await fetch(world, shown[0]["downloadUrl"])).content == b"same"


async def test_a_run_that_ended_takes_no_file(world: World, installed: Installation) -> None:
    run = await installed.record_run(status=ExecutionStatus.SUCCESS)

    answer = await upload(world, installed, run, b"x")

    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_PENDING")
    assert set(answer.json()) == {"success", "error", "code", "requestId"}


async def test_a_wrong_secret_says_nothing_about_whether_the_run_exists(
    world: World, installed: Installation
) -> None:
    run, other = await installed.record_run(), await installed.record_run()
    unknown = world.platform.sources.uuid7()
    of_other = await secret_of(world, installed, other)

    answers = [
        await upload(world, installed, wanted, b"x", executionSecret=of_other) for wanted in (run, unknown)
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert {answer.json()["error"] for answer in answers} == {answers[0].json()["error"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", form_of({}, "f", b"x"), form_of({"executionId": "e"}, "f", b"x")],
    ids=["nothing", "JSON", "no credentials", "no secret"],
)
async def test_what_is_no_such_form_is_a_bad_request(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json" if body == b"{}" else TYPE}
    answer = await world.gateway.http.post("/uploadWorkflowOutput", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


async def test_a_file_that_breaks_off_leaves_nothing(world: World, installed: Installation) -> None:
    run = await installed.record_run()
    secret = await secret_of(world, installed, run)
    body = form_of({"executionId": run, "executionSecret": secret}, "f", b"x" * (PIECE + 5))[:-30]

    answer = await world.gateway.http.post(
        "/uploadWorkflowOutput", content=body, headers={"Content-Type": TYPE}
    )

    assert answer.status_code == 400
    assert "files" not in await world.gateway.status(installed.id, run, installed.key)


async def test_more_than_a_hundred_megabytes_are_refused_before_they_are_read(world: World) -> None:
    head = (
        f"POST /uploadWorkflowOutput HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {101 * 1024 * 1024}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n")
    writer.close()

    assert b" 413 " in answer


@pytest.mark.parametrize("change", ["", "A", "x" * 5000, "ä"])
async def test_a_link_that_was_changed_leads_nowhere(
    world: World, installed: Installation, change: str
) -> None:
    run = await installed.record_run()
    await upload(world, installed, run, b"x")
    url = (await files_of(world, installed, run))[0]["downloadUrl"]
    base, _, token = url.rpartition("=")

    changed = "B" if change == token[0] else change
    answer = await world.gateway.http.get(base.partition("?")[0], params={"token": changed + token[1:]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "LINK_INVALID")


async def test_a_link_ends_after_an_hour(
    world: World, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await installed.record_run()
    await upload(world, installed, run, b"x")
    monkeypatch.setattr(link, "LASTS", timedelta(seconds=-1))
    (late,) = await link.links_of(world.platform, await installed.run(run))

    answer = await fetch(world, late.download_url)

    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "LINK_EXPIRED")


async def test_no_log_line_tells_a_link(world: World, installed: Installation) -> None:
    run = await installed.record_run()
    await upload(world, installed, run, b"x")
    (shown,) = await files_of(world, installed, run)
    answer = await fetch(world, shown["downloadUrl"])

    assert answer.status_code == 200
    assert shown["downloadUrl"].partition("token=")[2] not in world.gateway.log.read_text()

"""Files that runs are given: uploaded with the key that triggers, named in the payload (decision 0027)."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.store import refs
from shared.store.files import PIECE
from shared.store.store import Patch
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World
from tests.unit.http.test_multipart import TYPE, form_of

Json = dict[str, Any]

SCHEMA: list[Json] = [
    {"key": "title", "type": "string", "label": "Title"},
    {
        "type": "section",
        "title": "Files",
        "inputSchema": [
            {
                "key": "invoice",
                "type": "file",
                "label": "Invoice",
                "maxSize": 2_000_000,
                "allowedMimeTypes": ["text/*", "application/pdf", ".bin"],
            }
        ],
    },
    {
        "key": "pages",
        "type": "objectArray",
        "label": "Pages",
        "itemSchema": [{"key": "scan", "type": "file", "label": "Scan"}],
    },
]


@pytest.fixture
async def archive(world: World) -> Installation:
    """An installation whose workflow takes files and succeeds at once."""
    installed = await world.install(input_schema=SCHEMA)
    installed.behave(reporting(resultData={"done": True}))
    return installed


async def upload(
    world: World,
    installed: Installation,
    content: bytes,
    name: str = "a.txt",
    mime: str = "text/plain",
    **other: str,
) -> httpx.Response:
    headers = {"Content-Type": TYPE, "X-API-Key": other.pop("key", installed.key)}
    body = form_of(other, name, content, mime)
    return await world.gateway.http.post(
        f"/uploadWorkflowInput/{installed.id}", content=body, headers=headers
    )


async def uploaded(world: World, installed: Installation, content: bytes, *about: str) -> str:
    answer = await upload(world, installed, content, *about)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["documentId"])


async def given(world: World, installed: Installation, payload: Json) -> tuple[str, Json]:
    """Trigger, and return the run with what its workflow was given."""
    run = await world.gateway.trigger(installed.path, installed.key, payload)
    state = await world.gateway.status(installed.id, run, installed.key, wait=20)
    assert state["status"] == "success"
    return run, installed.calls[-1].body


async def refused(world: World, installed: Installation, payload: Json) -> str:
    answer = await world.gateway.post(f"/webhook/{installed.path}", installed.key, payload)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PAYLOAD"), answer.text
    return str(answer.json()["error"])


async def test_a_workflow_gets_a_link_in_place_of_every_file_that_is_named(
    world: World, archive: Installation
) -> None:
    large, text = os.urandom(PIECE + 17), "Zwölf Euro".encode()
    pdf = await uploaded(world, archive, large, "scan.pdf", "application/pdf")
    note = await uploaded(world, archive, text, "Notiz.txt", "text/plain")

    _, payload = await given(
        world,
        archive,
        {"title": "x", "invoice": pdf, "pages": [{"scan": {"documentId": note}}, {"scan": pdf}]},
    )

    invoice, (first, second) = payload["invoice"], payload["pages"]
    assert {name: value for name, value in invoice.items() if name != "downloadUrl"} == {
        "documentId": pdf,
        "fileName": "scan.pdf",
        "fileType": "pdf",
        "fileSize": len(large),
        "mimeType": "application/pdf",
    }
    assert first["scan"]["text"] == "Zwölf Euro"
    assert (await world.gateway.http.get(invoice["downloadUrl"])).content == large
    assert (await world.gateway.http.get(first["scan"]["downloadUrl"])).content == text
    assert second["scan"]["fileSize"] == len(large)
    assert payload["title"] == "x"


async def test_no_link_is_kept_and_the_run_shows_the_id_it_was_given(
    world: World, archive: Installation
) -> None:
    document = await uploaded(world, archive, b"hello")

    run, _ = await given(world, archive, {"invoice": document})

    kept = await archive.run(run)
    assert kept.trigger_data == f'{{"invoice":"{document}"}}'
    assert "downloadFile" not in kept.model_dump_json()


async def test_a_run_that_is_repeated_is_given_the_same_files_though_nobody_may_name_them_any_more(
    world: World, archive: Installation
) -> None:
    document = await uploaded(world, archive, b"hello")
    run, payload = await given(world, archive, {"invoice": document})
    over = world.platform.sources.now() - timedelta(seconds=1)
    await world.platform.store.commit(Patch(refs.input_file(archive.id, document), {"usable_until": over}))
    assert "upload it again" in await refused(world, archive, {"invoice": document})

    owner = world.north.keys["owner"]
    answer = await world.gateway.post(f"/retryExecutionPublic/{archive.id}/{run}", owner)

    again = answer.json()["data"]["executionId"]
    await world.gateway.status(archive.id, again, archive.key, wait=20)
    assert archive.calls[-1].body["invoice"]["documentId"] == document
    assert archive.calls[-1].body["invoice"]["downloadUrl"] != payload["invoice"]["downloadUrl"]
    fetched = await world.gateway.http.get(archive.calls[-1].body["invoice"]["downloadUrl"])
    assert fetched.content == b"hello"


async def test_files_of_another_installation_are_unknown(world: World, archive: Installation) -> None:
    other = await world.install(input_schema=SCHEMA)
    foreign = await uploaded(world, other, b"hello")

    for named in (foreign, "x" * 20, "../../etc", "https://evil.example/a.pdf", "x"):
        said = await refused(world, archive, {"invoice": named, "pages": [{"scan": named}]})

        assert "invoice names no file" in said
        assert "pages[0].scan names no file" in said
    assert archive.calls == []


@pytest.mark.parametrize(
    ("size", "name", "mime", "says"),
    [
        (2_000_000, "a.pdf", "application/pdf", None),
        (2_000_001, "a.pdf", "application/pdf", "must not be larger than 2000000 bytes"),
        (1, "a.csv", "text/csv; charset=utf-8", None),
        (1, "a.BIN", "application/octet-stream", None),
        (1, "a.png", "image/png", "must be one of text/*, application/pdf, .bin"),
        (1, "a.pdf.exe", "x", "must be one of"),
    ],
)
async def test_a_file_is_held_against_its_field(
    world: World, archive: Installation, size: int, name: str, mime: str, says: str | None
) -> None:
    document = await uploaded(world, archive, b"x" * size, name, mime)

    if says is None:
        await given(world, archive, {"invoice": document})
    else:
        assert says in await refused(world, archive, {"invoice": document})


async def test_an_object_that_says_itself_where_its_file_is_goes_on_as_it_is(
    world: World, archive: Installation
) -> None:
    elsewhere = {"downloadUrl": "https://files.example/a.pdf", "fileName": "a.pdf"}

    _, payload = await given(world, archive, {"invoice": elsewhere})

    assert payload["invoice"] == elsewhere


async def test_only_those_who_may_trigger_upload(world: World, archive: Installation) -> None:
    other = await world.install()

    stranger = await upload(world, archive, b"x", key=world.south.keys["owner"])
    neighbour = await upload(world, archive, b"x", key=other.key)
    nobody = await upload(world, archive, b"x", key="ck_" + "x" * 64)

    assert [answer.status_code for answer in (stranger, neighbour, nobody)] == [403, 403, 401]
    assert all(answer.json()["success"] is False for answer in (stranger, neighbour, nobody))


async def test_what_is_no_form_is_refused(world: World, archive: Installation) -> None:
    headers = {"Content-Type": "application/json", "X-API-Key": archive.key}
    answer = await world.gateway.http.post(
        f"/uploadWorkflowInput/{archive.id}", content=b"{}", headers=headers
    )

    assert answer.status_code == 400
    assert "multipart/form-data" in answer.text


async def test_files_cost_one_batched_get_and_other_payloads_nothing(
    world: World, archive: Installation
) -> None:
    documents = [await uploaded(world, archive, b"x", f"{n}.txt") for n in range(5)]

    pages = [{"scan": document} for document in documents]

    with_files = await world.gateway.post(f"/webhook/{archive.path}", archive.key, {"pages": pages})
    without = await world.gateway.post(f"/webhook/{archive.path}", archive.key, {"title": "x"})

    plain = world.gateway.cost_of(without, reads=2)
    assert world.gateway.cost_of(with_files, reads=7) == {
        **plain,
        "reads": 7,
        "roundTrips": plain["roundTrips"] + 1,
    }

"""Writing and reading project notes (api §5.27, §5.28)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.scopes import Scope
from tests.integration.world.projects import audit_log, new_project
from tests.integration.world.world import World

FIELDS = {
    "id",
    "projectId",
    "documentTypeId",
    "version",
    "versionMajor",
    "versionMinor",
    "versionPatch",
    "versionFilterKey",
    "parentVersion",
    "status",
    "title",
    "content",
    "summary",
    "createdAt",
    "agentId",
    "contentLength",
    "wordCount",
}


async def upsert(world: World, project_id: str, key: str | None = None, **fields: Any) -> httpx.Response:
    body = {
        "projectId": project_id,
        "documentTypeId": "brief",
        "title": "Brief",
        "content": "What it is for",
        "summary": "First words",
        "agentId": None,
        "majorChange": False,
        **fields,
    }
    return await world.gateway.post("/upsertProjectNote", key or world.north.keys["owner"], body)


async def write(world: World, project_id: str, **fields: Any) -> dict[str, Any]:
    answer = await upsert(world, project_id, **fields)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def ask(world: World, project_id: str, key: str | None = None, **fields: Any) -> httpx.Response:
    body = {"projectId": project_id, **fields}
    return await world.gateway.post("/getProjectNotes", key or world.north.keys["owner"], body)


async def read(world: World, project_id: str, **fields: Any) -> list[dict[str, Any]]:
    answer = await ask(world, project_id, **fields)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == {"projectId", "documents"}
    assert answer.json()["data"]["projectId"] == project_id
    documents: list[dict[str, Any]] = answer.json()["data"]["documents"]
    return documents


async def test_the_first_version_is_new_and_every_field_of_it_can_be_read(world: World) -> None:
    project_id = await new_project(world)

    written = await write(world, project_id, content="  Two words\nand more  ", agentId="agent-7")
    (note,) = await read(world, project_id)

    assert set(written) == {"projectId", "documentId", "documentTypeId", "version", "isNew"}
    assert (written["version"], written["isNew"]) == ("0.0.0", True)
    assert set(note) == FIELDS
    assert (note["id"], note["projectId"], note["documentTypeId"]) == (
        written["documentId"],
        project_id,
        "brief",
    )
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", note["id"])
    assert (note["versionMajor"], note["versionMinor"], note["versionPatch"]) == (0, 0, 0)
    assert (note["versionFilterKey"], note["parentVersion"], note["status"]) == (0, None, "current")
    assert note["content"] == "  Two words\nand more  "
    assert (note["title"], note["summary"], note["agentId"]) == ("Brief", "First words", "agent-7")
    assert (note["contentLength"], note["wordCount"]) == (22, 4)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", note["createdAt"])


async def test_each_version_follows_the_one_before_and_a_major_change_starts_a_minor(world: World) -> None:
    project_id = await new_project(world)
    changes = [False, False, True, False, True]

    written = [await write(world, project_id, majorChange=change) for change in changes]
    history = await read(world, project_id, documentTypeId="brief", includeHistory=True)

    versions = ["0.0.0", "0.0.1", "0.1.0", "0.1.1", "0.2.0"]
    assert [w["version"] for w in written] == versions
    assert [w["isNew"] for w in written] == [True, False, False, False, False]
    assert len({w["documentId"] for w in written}) == 5
    assert [note["version"] for note in history] == versions[::-1]
    assert [note["parentVersion"] for note in history] == ["0.1.1", "0.1.0", "0.0.1", "0.0.0", None]
    assert [note["status"] for note in history] == ["current", *["superseded"] * 4]
    assert [note["versionFilterKey"] for note in history] == [2000, 1001, 1000, 1, 0]


async def test_a_superseded_version_is_the_same_ever_after_but_for_its_status(world: World) -> None:
    project_id = await new_project(world)
    await write(world, project_id, content="one")
    (before,) = await read(world, project_id)
    await write(world, project_id, content="two", title="Other", agentId="a")

    (after,) = await read(world, project_id, documentTypeId="brief", version="0.0.0")

    assert after == {**before, "status": "superseded"}


async def test_what_is_asked_for_decides_which_versions_come(world: World) -> None:
    project_id, other = await new_project(world), await new_project(world)
    for kind in ("changelog", "brief", "brief", "architecture"):
        await write(world, project_id, documentTypeId=kind)
    await write(world, other, documentTypeId="brief", title="Elsewhere")

    def named(notes: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(note["documentTypeId"], note["version"]) for note in notes]

    assert named(await read(world, project_id)) == [
        ("architecture", "0.0.0"),
        ("brief", "0.0.1"),
        ("changelog", "0.0.0"),
    ]
    assert named(await read(world, project_id, documentTypeId="brief")) == [("brief", "0.0.1")]
    assert named(await read(world, project_id, documentTypeId="brief", version="0.0.0")) == [
        ("brief", "0.0.0")
    ]
    assert named(
        await read(world, project_id, documentTypeId="brief", version="0.0.0", includeHistory=True)
    ) == [("brief", "0.0.0")]
    assert named(await read(world, project_id, includeHistory=True)) == [
        ("architecture", "0.0.0"),
        ("brief", "0.0.1"),
        ("brief", "0.0.0"),
        ("changelog", "0.0.0"),
    ]
    assert {note["title"] for note in await read(world, project_id)} == {"Brief"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"documentTypeId": "known-issues"},
        {"documentTypeId": "Not A Type"},
        {"documentTypeId": "known-issues", "includeHistory": True},
        {"documentTypeId": "brief", "version": "9.9.9"},
        {"documentTypeId": "brief", "version": "no version"},
    ],
)
async def test_a_type_or_version_nobody_wrote_is_an_empty_list(world: World, fields: dict[str, Any]) -> None:
    project_id = await new_project(world)
    if fields:
        await write(world, project_id)

    assert await read(world, project_id, **fields) == []


@pytest.mark.parametrize("writers", [2, 8])
async def test_writers_at_the_same_time_make_as_many_versions(world: World, writers: int) -> None:
    project_id = await new_project(world)

    written = await asyncio.gather(*(write(world, project_id, content=f"by {n}") for n in range(writers)))
    history = await read(world, project_id, documentTypeId="brief", includeHistory=True)

    expected = [f"0.0.{n}" for n in range(writers)]
    assert sorted(w["version"] for w in written) == expected
    assert [w["isNew"] for w in written].count(True) == 1
    assert [note["version"] for note in history] == expected[::-1]
    assert [note["status"] for note in history] == ["current", *["superseded"] * (writers - 1)]
    assert {note["content"] for note in history} == {f"by {n}" for n in range(writers)}
    ids = {note["version"]: note["id"] for note in history}
    assert {w["version"]: w["documentId"] for w in written} == ids


async def test_many_versions_stay_in_order_beyond_a_thousand_patches(world: World) -> None:
    project_id = await new_project(world)
    await write(world, project_id)
    notes = world.platform.store.client.collection(f"projects/{project_id}/notes")
    (first,) = [snapshot async for snapshot in notes.stream()]
    # What a thousand patches lead to.
    fields = {**(first.to_dict() or {}), "version": "0.0.1200", "versionPatch": 1200, "ordinal": 1200}
    await notes.document("brief:0.0.1200").set({**fields, "parentVersion": "0.0.1199"})
    await first.reference.update({"status": "superseded"})

    written = [await write(world, project_id, majorChange=True), await write(world, project_id)]

    history = await read(world, project_id, documentTypeId="brief", includeHistory=True)
    assert [w["version"] for w in written] == ["0.1.0", "0.1.1"]
    assert [note["version"] for note in history] == ["0.1.1", "0.1.0", "0.0.1200", "0.0.0"]


@pytest.mark.parametrize("text", ["x", "ü", "😀", "line of words 漢字 \n"])
async def test_half_a_million_characters_are_kept_to_the_letter(world: World, text: str) -> None:
    project_id = await new_project(world)
    content = (text * 500_000)[:500_000]
    await write(world, project_id, content=content)
    await write(world, project_id, documentTypeId="other")

    other, note = sorted(await read(world, project_id), key=lambda n: str(n["contentLength"]))

    assert note["content"] == content
    assert note["contentLength"] == 500_000
    assert other["content"] == "What it is for"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("documentTypeId", ""),
        ("documentTypeId", "Brief"),
        ("documentTypeId", "my_notes"),
        ("documentTypeId", "-brief"),
        ("documentTypeId", "known issues"),
        ("documentTypeId", "a/b"),
        ("documentTypeId", "brief\n"),
        ("documentTypeId", "x" * 65),
        ("documentTypeId", 7),
        ("documentTypeId", None),
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 301),
        ("content", ""),
        ("content", " \n\t"),
        ("content", "x" * 500_001),
        ("summary", ""),
        ("summary", "\n"),
        ("summary", "x" * 2001),
        ("agentId", "x" * 201),
        ("agentId", 5),
        ("majorChange", "perhaps"),
    ],
)
async def test_a_note_that_breaks_a_rule_is_refused_and_the_field_named(
    world: World, field: str, value: Any
) -> None:
    project_id = await new_project(world)

    answer = await upsert(world, project_id, **{field: value})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert field in answer.json()["error"]["message"]
    assert answer.json()["error"]["details"]["field"] == field
    assert await read(world, project_id) == []


@pytest.mark.parametrize("field", ["projectId", "documentTypeId", "title", "content", "summary"])
async def test_what_a_note_needs_must_be_there(world: World, field: str) -> None:
    body = {
        "projectId": "p",
        "documentTypeId": "brief",
        "title": "Brief",
        "content": "c",
        "summary": "s",
    }
    del body[field]

    answer = await world.gateway.post("/upsertProjectNote", world.north.keys["owner"], body)

    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


async def test_notes_belong_to_whom_the_project_belongs(world: World) -> None:
    project_id = await new_project(world, user="member")
    deploys_alone = await world.north.key("member", scopes=(Scope.DEPLOY_USE_CASE,))
    admitted = [
        deploys_alone,
        world.north.keys["admin"],
        await world.north.key("member", kind=KeyKind.PERSONAL),
        await world.south.key(kind=KeyKind.ADMIN),
    ]
    refused = [world.north.keys["guest"], world.south.keys["owner"]]

    for key in admitted:
        assert (await upsert(world, project_id, key)).status_code == 200
        assert (await ask(world, project_id, key)).status_code == 200
    for key in refused:
        for answer in (await upsert(world, project_id, key), await ask(world, project_id, key)):
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
            assert "What it is for" not in answer.text
    assert len(await read(world, project_id, includeHistory=True)) == len(admitted)


async def test_a_project_nobody_knows_has_no_notes(world: World) -> None:
    for answer in (await upsert(world, "nothing"), await ask(world, "nothing")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PROJECT_NOT_FOUND")
        assert "not found" in answer.json()["error"]["message"]


async def test_every_version_is_told_the_audit_log_without_what_it_says(world: World) -> None:
    project_id = await new_project(world)
    await write(world, project_id, content="confidential")
    await write(world, project_id, content="confidential", majorChange=True)

    entries = [e for e in await audit_log(world, project_id) if e.action is AuditAction.PROJECT_NOTE_WRITTEN]

    assert [entry.details for entry in entries] == [
        {"documentTypeId": "brief", "version": "0.0.0"},
        {"documentTypeId": "brief", "version": "0.1.0"},
    ]


async def test_reading_costs_the_same_however_many_notes_there_are(world: World) -> None:
    project_id = await new_project(world)
    for number in range(12):
        await write(world, project_id, documentTypeId=f"type-{number}")
        await write(world, project_id, documentTypeId="brief")

    answers = [
        await ask(world, project_id),
        await ask(world, project_id, documentTypeId="brief", includeHistory=True),
        await ask(world, project_id, documentTypeId="brief", version="0.0.3"),
    ]

    assert [len(answer.json()["data"]["documents"]) for answer in answers] == [13, 12, 1]
    costs = [world.gateway.line_of(answer)["firestore"] for answer in answers]
    assert [cost["roundTrips"] for cost in costs] == [3, 3, 3]
    assert [cost["reads"] for cost in costs] == [15, 14, 3]

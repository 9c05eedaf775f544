"""Uploading stage documents (api §5.13, platform §19)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shared.model.audit import AuditAction
from shared.model.project import Project, ProjectStatus
from shared.model.stage import STAGES, Stage, StageDocument
from shared.services.texts import read_texts
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from tests.integration.world.projects import audit_log, new_project
from tests.integration.world.world import World


def document(stage: Any, **fields: Any) -> dict[str, Any]:
    return {"stage": stage, "title": f"Stage {stage}", "content": "# Text", "summary": "A text", **fields}


async def upload(world: World, project_id: str, *documents: Any, key: str | None = None) -> httpx.Response:
    body = {"projectId": project_id, "documents": list(documents)}
    return await world.gateway.post("/deployUseCaseDocuments", key or world.north.keys["owner"], body)


async def accepted(world: World, project_id: str, *documents: Any) -> list[dict[str, Any]]:
    answer = await upload(world, project_id, *documents)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert set(data) == {"projectId", "documentsCreated"}
    assert data["projectId"] == project_id
    created: list[dict[str, Any]] = data["documentsCreated"]
    return created


async def kept(world: World, project_id: str) -> list[StageDocument]:
    """Every version of every stage, oldest first."""
    query = below(refs.project(project_id), "stageDocuments", StageDocument)
    found = [document.value for document in await find(world.platform.store, query)]
    return sorted(found, key=lambda kept: (kept.stage, kept.ordinal))


async def stages(world: World, project_id: str) -> dict[int, Stage]:
    found = await world.platform.store.fetch(*(refs.stage(project_id, number) for number in STAGES))
    return {stage.value.stage: stage.value for stage in found if stage}


async def stale(world: World, project_id: str) -> list[int]:
    return [number for number, stage in (await stages(world, project_id)).items() if stage.stale]


async def project(world: World, project_id: str) -> Project:
    found = await world.platform.store.get(refs.project(project_id))
    assert found is not None
    return found.value


async def test_each_stage_counts_its_own_versions_and_keeps_them_all(world: World) -> None:
    project_id = await new_project(world)

    first = await accepted(world, project_id, document(1, content="  one \n"), document(3))
    second = await accepted(world, project_id, document(1, content="two", title="Needs"))

    assert [set(row) for row in first] == [{"stage", "documentId", "version", "status"}] * 2
    assert [(row["stage"], row["version"], row["status"]) for row in first] == [
        (1, "1.0.0", "accepted"),
        (3, "1.0.0", "accepted"),
    ]
    assert [(row["stage"], row["version"]) for row in second] == [(1, "1.1.0")]
    history = await kept(world, project_id)
    assert [(k.stage, k.version, k.status) for k in history] == [
        (1, "1.0.0", "superseded"),
        (1, "1.1.0", "accepted"),
        (3, "1.0.0", "accepted"),
    ]
    assert [k.content for k in history] == ["one", "two", "# Text"]
    assert [k.id for k in history] == [row["documentId"] for row in (first[0], second[0], first[1])]


async def test_versions_pass_nine(world: World) -> None:
    project_id = await new_project(world)

    versions = [(await accepted(world, project_id, document(2)))[0]["version"] for _ in range(12)]

    assert versions == [f"1.{minor}.0" for minor in range(12)]


async def test_the_first_document_starts_a_project_and_a_later_one_reopens_it(world: World) -> None:
    project_id = await new_project(world)
    assert (await project(world, project_id)).status is ProjectStatus.DRAFT

    await accepted(world, project_id, document(2))
    assert (await project(world, project_id)).status is ProjectStatus.IN_PROGRESS

    await world.platform.store.commit(Patch(refs.project(project_id), {"status": ProjectStatus.COMPLETED}))
    await accepted(world, project_id, document(2))
    assert (await project(world, project_id)).status is ProjectStatus.IN_PROGRESS


async def test_a_changed_stage_makes_the_later_ones_stale_until_they_are_written_again(world: World) -> None:
    project_id = await new_project(world)
    await accepted(world, project_id, *(document(stage) for stage in STAGES))
    assert await stale(world, project_id) == []

    await accepted(world, project_id, document(2))
    assert await stale(world, project_id) == [3, 4]
    await accepted(world, project_id, document(3))
    assert await stale(world, project_id) == [4]
    await accepted(world, project_id, document(1), document(4))
    assert await stale(world, project_id) == [2, 3]
    versions = {number: stage.version for number, stage in (await stages(world, project_id)).items()}
    assert versions == {1: "1.1.0", 2: "1.1.0", 3: "1.1.0", 4: "1.1.0"}


@pytest.mark.parametrize("uploads", [2, 6])
async def test_uploads_at_the_same_time_never_make_a_version_twice(world: World, uploads: int) -> None:
    project_id = await new_project(world)

    rows = await asyncio.gather(
        *(accepted(world, project_id, document(1, content=f"{n}"), document(2)) for n in range(uploads))
    )

    expected = [f"1.{minor}.0" for minor in range(uploads)]
    for index in (0, 1):
        assert sorted(row[index]["version"] for row in rows) == expected
    history = [k for k in await kept(world, project_id) if k.stage == 1]
    assert [k.version for k in history] == expected
    assert [k.status for k in history] == [*["superseded"] * (uploads - 1), "accepted"]
    assert {k.content for k in history} == {f"{n}" for n in range(uploads)}


async def test_an_upload_and_one_of_an_earlier_stage_leave_no_stale_document_unmarked(world: World) -> None:
    project_id = await new_project(world)
    await accepted(world, project_id, document(1), document(2))

    await asyncio.gather(*(accepted(world, project_id, document(stage)) for stage in (1, 2)))

    one, two = await world.platform.store.fetch(refs.stage(project_id, 1), refs.stage(project_id, 2))
    assert (one.value.version, two.value.version) == ("1.1.0", "1.1.0")
    # Stage 1 came last, and marked stage 2 in the same commit, or stage 2 did.
    assert two.update_time >= one.update_time
    assert two.value.stale is (two.update_time == one.update_time)


BAD: list[tuple[list[Any], int | None, str]] = [
    ([], None, "at least one"),
    ([5], None, "object"),
    ([document(0)], None, "stage"),
    ([document(5)], None, "stage"),
    ([document("1")], None, "stage"),
    ([document(True)], None, "stage"),
    ([document(1.5)], None, "stage"),
    ([document(None)], None, "stage"),
    ([document(2, title="  ")], 2, "title"),
    ([document(2, title=None)], 2, "title"),
    ([document(2, title="x" * 301)], 2, "title"),
    ([document(3, content="\n \n")], 3, "content"),
    ([document(3, content=7)], 3, "content"),
    ([document(3, content="x" * 500_001)], 3, "content"),
    ([document(4, summary="x" * 201)], 4, "summary"),
    ([document(4, summary=None)], 4, "summary"),
    ([document(1), document(4), document(1)], 1, "more than one"),
]


@pytest.mark.parametrize(("documents", "stage", "said"), BAD)
async def test_one_bad_document_refuses_all_and_says_which_and_why(
    world: World, documents: list[Any], stage: int | None, said: str
) -> None:
    project_id = await new_project(world)
    before = [] if not documents or stage in (None, 1) else [document(1)]

    answer = await upload(world, project_id, *before, *documents)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_REQUEST")
    assert error["details"].get("stage") == stage
    assert said in error["details"]["reason"]
    assert said in error["message"]
    assert await kept(world, project_id) == []
    assert (await project(world, project_id)).status is ProjectStatus.DRAFT


@pytest.mark.parametrize("documents", [None, {}, "text", 5])
async def test_documents_must_be_a_list(world: World, documents: object) -> None:
    project_id = await new_project(world)
    body = {"projectId": project_id, "documents": documents}

    answer = await world.gateway.post("/deployUseCaseDocuments", world.north.keys["owner"], body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_a_summary_may_be_two_hundred_characters_or_none_at_all(world: World) -> None:
    project_id = await new_project(world)

    rows = await accepted(world, project_id, document(1, summary="é" * 200), document(2, summary=""))

    assert len(rows) == 2


async def test_a_large_document_is_kept_to_the_letter(world: World) -> None:
    project_id = await new_project(world)
    content = "".join(chr(0x4E00 + n % 20_000) for n in range(500_000))

    await accepted(world, project_id, document(1, content=content))

    history = await kept(world, project_id)
    assert history[0].content is None
    assert await read_texts(world.platform, world.north.organization_id, history) == [content]


async def read(world: World, project_id: str, **fields: Any) -> list[dict[str, Any]]:
    answer = await ask(world, project_id, **fields)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == {"projectId", "documents"}
    documents: list[dict[str, Any]] = answer.json()["data"]["documents"]
    return documents


async def ask(world: World, project_id: str, key: str | None = None, **fields: Any) -> httpx.Response:
    body = {"projectId": project_id, **fields}
    return await world.gateway.post("/getUseCaseDocuments", key or world.north.keys["owner"], body)


async def test_what_was_uploaded_is_read_back_stage_by_stage(world: World) -> None:
    project_id = await new_project(world)
    assert await read(world, project_id) == []
    large = "# Long\n" + "lorem " * 60_000
    await accepted(world, project_id, document(3, content=large), document(1))
    (second,) = await accepted(world, project_id, document(1, content="new", title="T", summary="S"))

    one, three = await read(world, project_id)

    assert set(one) == {
        *("stage", "documentId", "version", "status", "stale"),
        *("title", "summary", "content", "createdBy", "createdAt"),
    }
    assert (one["documentId"], one["version"], one["status"]) == (second["documentId"], "1.1.0", "accepted")
    assert (one["title"], one["summary"], one["content"]) == ("T", "S", "new")
    assert (three["version"], three["content"]) == ("1.0.0", large.strip())
    assert (one["stale"], three["stale"]) == (False, True)
    history = [
        (d["stage"], d["version"], d["status"]) for d in await read(world, project_id, includeHistory=True)
    ]
    first = [(1, "1.1.0", "accepted"), (1, "1.0.0", "superseded")]
    assert history == [*first, (3, "1.0.0", "accepted")]
    assert [d["stage"] for d in await read(world, project_id, stage=3)] == [3]
    assert len(await read(world, project_id, stage=1, includeHistory=True)) == 2
    assert await read(world, project_id, stage=2, includeHistory=True) == []


async def test_reading_stage_documents_costs_three_round_trips(world: World) -> None:
    project_id = await new_project(world)
    for _ in range(3):
        await accepted(world, project_id, *(document(stage) for stage in STAGES))

    for answer in (await ask(world, project_id), await ask(world, project_id, includeHistory=True)):
        assert answer.status_code == 200
        assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 3


async def test_stage_documents_are_read_by_those_who_may_use_the_project(world: World) -> None:
    project_id = await new_project(world, user="member")
    await accepted(world, project_id, document(1, content="confidential"))

    for key in (world.north.keys["guest"], world.south.keys["owner"]):
        answer = await ask(world, project_id, key)
        assert (answer.status_code, "confidential" in answer.text) == (403, False)
    assert (await ask(world, project_id, world.north.keys["member"])).status_code == 200
    assert (await ask(world, "nothing")).status_code == 404


async def test_only_those_who_may_use_the_project_upload(world: World) -> None:
    project_id = await new_project(world, user="member")

    for key in (world.north.keys["guest"], world.south.keys["owner"]):
        answer = await upload(world, project_id, document(1), key=key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    unknown = await upload(world, "nothing", document(1))
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "PROJECT_NOT_FOUND")
    assert await kept(world, project_id) == []
    for user in ("member", "admin"):
        assert (await upload(world, project_id, document(1), key=world.north.keys[user])).status_code == 200


async def test_an_upload_is_told_the_audit_log(world: World) -> None:
    project_id = await new_project(world)
    await accepted(world, project_id, document(1), document(2))

    entry = (await audit_log(world, project_id))[-1]

    assert entry.action is AuditAction.STAGE_DOCUMENTS_UPLOADED
    assert entry.details == {"versions": {"1": "1.0.0", "2": "1.0.0"}}

"""Downloading the source files of a version (api §5.9, §10)."""

from __future__ import annotations

import base64
import re
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.ingestion import IngestionVersion
from shared.model.project import Process
from shared.model.scopes import Scope
from shared.model.template import StoredFile
from shared.store import refs
from shared.store.store import Create, Patch
from tests.integration.world.projects import new_project, record_version
from tests.integration.world.world import World

FILES = {"config.ts": b"export const title = 'Inbox';", "workflows/main.json": b'{"nodes": []}'}
NEWER = {"config.ts": b"export const title = 'Newer';", "workflows/main.json": b'{"nodes": []}'}
INGESTION = "data-ingestion/embed.json"


async def ask(world: World, project_id: str, key: str | None = None, **fields: Any) -> httpx.Response:
    body = {"projectId": project_id, **fields}
    return await world.gateway.post("/getMetadataDocumentsEndpoint", key or world.north.keys["owner"], body)


async def sources(world: World, project_id: str, **fields: Any) -> dict[str, Any]:
    answer = await ask(world, project_id, **fields)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    assert set(data) - {"dataIngestionVersion"} == {"projectId", "version", "organizationId", "documents"}
    assert (data["projectId"], data["organizationId"]) == (project_id, world.north.organization_id)
    return data


def paths(data: dict[str, Any]) -> list[str]:
    return [document["relativePath"] for document in data["documents"]]


async def ingest(world: World, project_id: str, version: str, content: bytes) -> None:
    """Record a data ingestion of a project's process, as the latest."""
    platform, organization = world.platform, world.north.organization_id
    project = await platform.store.get(refs.project(project_id))
    assert project is not None
    assert project.value.process_id is not None
    (digest,) = await platform.blobs.put(organization, [content])
    file = StoredFile(
        relative_path=INGESTION,
        storage_path=f"ingestions/{version}",
        content_type="application/json",
        size_bytes=len(content),
        blob=digest,
        uploaded_at=platform.sources.now(),
    )
    entry = IngestionVersion(organization_id=organization, data_ingestion_id="d", file=file)
    process = project.value.process_id
    await platform.store.commit(
        Create(refs.ingestion_version(process, version), entry),
        Patch(refs.process(process), {"latest_ingestion_version": version}),
    )


async def test_a_listing_has_everything_but_the_contents(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.0", FILES)

    data = await sources(world, project_id, includeContent=False, includeDataIngestion=True)

    assert "dataIngestionVersion" not in data
    assert (data["version"], paths(data)) == ("1.0", list(FILES))
    for document, content in zip(data["documents"], FILES.values(), strict=True):
        assert set(document) == {"relativePath", "storagePath", "contentType", "sizeBytes", "uploadedAt"}
        assert document["sizeBytes"] == len(content)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["uploadedAt"])
    assert paths(await sources(world, project_id)) == list(FILES)


async def test_contents_come_back_as_they_were_deployed(world: World) -> None:
    project_id = await new_project(world)
    files = {**FILES, "empty.txt": b"", "logo.png": bytes(range(256)) * 9000}
    await record_version(world, project_id, "1.0", files)

    data = await sources(world, project_id, includeContent=True)

    contents = {d["relativePath"]: base64.b64decode(d["contentBase64"]) for d in data["documents"]}
    assert contents == files


async def test_a_version_is_the_one_asked_for_or_the_latest(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.9", FILES)
    await record_version(world, project_id, "1.10", NEWER)

    async def title(**fields: Any) -> tuple[str, bytes]:
        data = await sources(world, project_id, includeContent=True, **fields)
        return data["version"], base64.b64decode(data["documents"][0]["contentBase64"])

    assert await title() == ("1.10", NEWER["config.ts"])
    assert await title(version="1.9") == ("1.9", FILES["config.ts"])
    assert await title(version="1.10") == ("1.10", NEWER["config.ts"])


async def test_the_latest_is_found_for_a_project_that_does_not_name_it(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "2.0", FILES, known_to_project=False)

    assert (await sources(world, project_id))["version"] == "2.0"


@pytest.mark.parametrize("version", ["99.99", "1", "latest", "../1.0", ""])
async def test_a_version_nobody_deployed_has_no_documents_and_is_echoed(world: World, version: str) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.0", FILES)
    await ingest(world, project_id, "1.0", b"{}")

    data = await sources(world, project_id, version=version, includeContent=True, includeDataIngestion=True)

    assert (data["version"], data["documents"]) == (version, [])
    assert "dataIngestionVersion" not in data


async def test_a_version_of_another_project_is_not_this_ones(world: World) -> None:
    project_id, other = await new_project(world), await new_project(world)
    await record_version(world, other, "1.0", FILES)

    assert (await sources(world, project_id, version="1.0"))["documents"] == []


async def test_a_project_that_was_never_deployed_has_no_documents(world: World) -> None:
    project_id = await new_project(world)

    data = await sources(world, project_id, includeContent=True, includeDataIngestion=True)

    assert (data["version"], data["documents"]) == ("", [])


async def test_files_of_the_data_ingestion_come_only_when_asked_for(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.0", FILES)
    await ingest(world, project_id, "1.0", b'{"old": 1}')
    await ingest(world, project_id, "1.1", b'{"new": 1}')

    without = await sources(world, project_id, includeContent=True)
    latest = await sources(world, project_id, includeContent=True, includeDataIngestion=True)
    named = await sources(
        world, project_id, includeContent=True, includeDataIngestion=True, dataIngestionVersion="1.0"
    )
    unknown = await sources(world, project_id, includeDataIngestion=True, dataIngestionVersion="9.9")

    for data in (without, unknown):
        assert paths(data) == list(FILES)
        assert "dataIngestionVersion" not in data
    for data, version, content in ((latest, "1.1", b'{"new": 1}'), (named, "1.0", b'{"old": 1}')):
        assert (data["version"], data["dataIngestionVersion"]) == ("1.0", version)
        assert paths(data) == [*FILES, INGESTION]
        assert base64.b64decode(data["documents"][-1]["contentBase64"]) == content


async def test_a_named_version_comes_with_the_latest_data_ingestion(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.0", FILES)
    await ingest(world, project_id, "3.1", b"{}")

    data = await sources(world, project_id, version="1.0", includeDataIngestion=True)

    assert paths(data) == [*FILES, INGESTION]
    assert data["dataIngestionVersion"] == "3.1"


async def test_a_project_with_a_data_ingestion_alone_has_its_files_and_no_version(world: World) -> None:
    project_id = await new_project(world)
    platform, process_id = world.platform, world.platform.sources.auto_id()
    shell = Process(
        organization_id=world.north.organization_id,
        project_id=project_id,
        owner_id=world.north.users["owner"],
        title="Inbox",
        dev_instance_id=platform.sources.uuid7(),
        created_at=platform.sources.now(),
    )
    link = Patch(refs.project(project_id), {"process_id": process_id})
    await platform.store.commit(Create(refs.process(process_id), shell), link)
    await ingest(world, project_id, "1.0", b"{}")

    data = await sources(world, project_id, includeContent=True, includeDataIngestion=True)

    assert (data["version"], data["dataIngestionVersion"], paths(data)) == ("", "1.0", [INGESTION])
    assert (await sources(world, project_id, includeContent=True))["documents"] == []


async def test_sources_are_for_those_who_may_use_the_project(world: World) -> None:
    project_id = await new_project(world, user="member")
    await record_version(world, project_id, "1.0", FILES)
    admitted = [
        await world.north.key("member", scopes=(Scope.DEPLOY_USE_CASE,)),
        world.north.keys["admin"],
        await world.south.key(kind=KeyKind.ADMIN),
    ]

    for key in admitted:
        assert (await ask(world, project_id, key)).status_code == 200
    for key in (world.north.keys["guest"], world.south.keys["owner"]):
        answer = await ask(world, project_id, key, includeContent=True)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert "config.ts" not in answer.text
    unknown = await ask(world, "nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "PROJECT_NOT_FOUND")
    assert "not found" in unknown.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [{}, {"projectId": None}, {"projectId": "p", "version": 5}, {"projectId": "p", "includeContent": "?"}],
)
async def test_a_request_that_cannot_be_understood_is_refused(world: World, body: dict[str, Any]) -> None:
    answer = await world.gateway.post("/getMetadataDocumentsEndpoint", world.north.keys["owner"], body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_a_listing_costs_three_round_trips_and_one_more_with_a_data_ingestion(world: World) -> None:
    project_id = await new_project(world)
    await record_version(world, project_id, "1.0", FILES)

    async def cost(**fields: Any) -> int:
        answer = await ask(world, project_id, **fields)
        return int(world.gateway.line_of(answer)["firestore"]["roundTrips"])

    assert [await cost(), await cost(version="1.0"), await cost(includeDataIngestion=True)] == [3, 3, 3]
    await ingest(world, project_id, "1.0", b"{}")
    assert await cost(includeDataIngestion=True) == 4
    assert await cost(includeDataIngestion=True, version="1.0", dataIngestionVersion="1.0") == 4

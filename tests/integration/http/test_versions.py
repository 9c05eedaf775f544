"""The versions of a project: listing, comparing and downloading them (platform §10)."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import httpx
import pytest

from shared.store import refs
from shared.store.blobs import Blob
from shared.store.query import below, tally
from tests.integration.world.products import Json, Product, data_of, refusal_of


async def ask(product: Product, path: str, key: str | None = None, **query: Any) -> httpx.Response:
    wanted = {"projectId": product.project_id, **query}
    return await product.world.gateway.get(path, key or product.tenant.keys["owner"], **wanted)


async def compared(product: Product, before: str, after: str) -> Json:
    return data_of(await ask(product, "/compareVersionsPublic", **{"from": before, "to": after}))


async def test_versions_are_listed_newest_first_and_say_where_they_run(product: Product) -> None:
    first = await product.deploy("v1")
    await product.publish(first["templateId"])
    second = await product.deploy("v2", configuration=product.configuration("v2", releaseNotes="Greets anew"))

    data = data_of(await ask(product, "/listVersionsPublic"))

    assert set(data) == {"projectId", "versions"}
    newest, oldest = data["versions"]
    assert (newest["version"], newest["templateId"]) == ("1.1", second["templateId"])
    assert (newest["status"], newest["runsIn"], newest["releaseNotes"]) == (
        "inactive",
        ["dev"],
        "Greets anew",
    )
    assert (oldest["version"], oldest["status"], oldest["runsIn"]) == ("1.0", "published", ["prod"])
    assert oldest["createdBy"] == product.tenant.users["owner"]


async def test_pages_of_versions_join_without_a_gap(product: Product) -> None:
    for mark in ("v1", "v2", "v3"):
        await product.deploy(mark)

    first = data_of(await ask(product, "/listVersionsPublic", limit=2))
    second = data_of(await ask(product, "/listVersionsPublic", limit=2, after=first["next"]))

    assert [row["version"] for row in first["versions"]] == ["1.2", "1.1"]
    assert [row["version"] for row in second["versions"]] == ["1.0"]
    assert "next" not in second


async def test_what_follows_an_unknown_page_is_refused(product: Product) -> None:
    assert refusal_of(await ask(product, "/listVersionsPublic", after="yesterday"))[0] == 400


async def test_a_project_without_a_deploy_has_no_versions(product: Product) -> None:
    assert data_of(await ask(product, "/listVersionsPublic"))["versions"] == []


async def test_a_comparison_names_what_changed_and_leaves_out_what_did_not(product: Product) -> None:
    await product.deploy("v1")
    await product.deploy("v2", configuration=product.configuration("v2", subtitle="Anew"))

    data = await compared(product, "1.0", "1.1")

    assert (data["from"], data["to"], data["identical"], data["breaking"]) == ("1.0", "1.1", False, False)
    changed = [(node["name"], node["kind"]) for w in data["workflows"] for node in w["nodes"]]
    assert ("Mark", "changed") in changed
    assert ("Greet", "changed") not in changed
    assert any(line.startswith("subtitle changed") for line in data["summary"])


async def test_two_deploys_of_one_thing_do_not_differ(product: Product) -> None:
    first, second = await product.deploy("v1"), await product.deploy("v1")
    data = await compared(product, first["templateId"], second["templateId"])
    assert (data["identical"], data["summary"], data["from"], data["to"]) == (True, [], "1.0", "1.1")


async def test_a_version_that_is_not_there_is_named(product: Product) -> None:
    await product.deploy("v1")
    answer = await ask(product, "/compareVersionsPublic", **{"from": "1.0", "to": "9.9"})
    assert answer.status_code == 404
    assert "9.9" in answer.text


async def test_every_version_can_be_downloaded_as_it_was_sent(product: Product) -> None:
    skill = {
        "name": "beta",
        "description": "Greets",
        "workflowTemplateId": "beta",
        "contentMarkdown": "# Greet",
        "relativePath": "beta/SKILL.md",
    }
    sent = product.configuration("v1")
    note = {"relativePath": "config.ts", "contentType": "text/plain", "contentBase64": "Zm9v"}
    await product.deploy("v1", configuration=sent, skills=[skill], metadataDocuments=[note])
    await product.deploy("v2")

    answer = await ask(product, "/downloadVersionPublic", version="1.0")

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {
        "configuration.json",
        "workflows/beta.json",
        "workflows/leaf-b.json",
        "skills/beta/SKILL.md",
        "sources/config.ts",
    }
    assert files["sources/config.ts"] == b"foo"
    assert json.loads(files["configuration.json"])["title"] == sent["title"]
    assert b"v1" in files["workflows/beta.json"]
    assert (await ask(product, "/downloadVersionPublic", version="1.0")).content == answer.content


async def test_an_older_version_may_be_deployed_by_number_without_becoming_the_latest(
    product: Product,
) -> None:
    await product.deploy("v1", versionStrategy="explicit", explicitVersion="2.10")
    await product.deploy("v0", versionStrategy="explicit", explicitVersion="2.9")

    assert (await product.process()).latest_version == "2.10"
    assert (await product.deploy("v2"))["version"] == "2.11"


async def test_a_lower_version_runs_in_dev_is_run_again_and_published_like_any_other(
    product: Product,
) -> None:
    await product.deploy("v2", versionStrategy="explicit", explicitVersion="2.0")
    lower = await product.deploy("v1", versionStrategy="explicit", explicitVersion="1.4")
    assert product.greets(lower["processInstanceId"]) == ["Hello", "v1"]

    data_of(await product.rerun(lower["processInstanceId"], forceRedeploy=True))
    await product.publish(lower["templateId"])

    rows = data_of(await ask(product, "/listVersionsPublic"))["versions"]
    assert {row["version"]: (row["status"], row["runsIn"]) for row in rows} == {
        "1.4": ("published", ["dev", "prod"]),
        "2.0": ("inactive", []),
    }
    assert (await product.process()).latest_version == "2.0"


@pytest.mark.parametrize("named", ["a/b", "..", "__x__", "1.0 "])
async def test_a_version_of_a_strange_name_is_not_there(product: Product, named: str) -> None:
    await product.deploy("v1")
    assert (await ask(product, "/downloadVersionPublic", version=named)).status_code in (400, 404)


async def test_an_unchanged_version_of_thirty_workflows_costs_n8n_nothing_and_is_stored_once(
    product: Product,
) -> None:
    configuration = many(product.configuration("v1"), 15)
    n8n, organization = product.n8n, refs.organization(product.tenant.organization_id)

    async def costs() -> tuple[int, int]:
        asked = len(n8n.asked)
        before = await tally(product.world.platform.store, below(organization, "blobs", Blob))
        assert (await product.deploy("v1", configuration=configuration))["deploymentStatus"] == "deployed"
        after = await tally(product.world.platform.store, below(organization, "blobs", Blob))
        return len(n8n.asked) - asked, after - before

    first_calls, first_blobs = await costs()
    calls, blobs = await costs()

    assert first_calls >= 60
    assert first_blobs >= 30
    assert (calls, blobs) == (0, 0)


def many(configuration: Json, copies: int) -> Json:
    """Return a use case with so many copies of each workflow, each calling its own."""
    workflows = [
        copied(workflow, number) for number in range(copies) for workflow in configuration["workflows"]
    ]
    return {**configuration, "workflows": workflows}


def copied(workflow: Json, number: int) -> Json:
    def renamed(text: str) -> str:
        for name in ("leaf-b", "beta"):
            text = text.replace(name, f"{name}-{number}")
        return text

    file = renamed(base64.b64decode(workflow["n8nWorkflowJsonBase64"]).decode())
    stated = {name: value for name, value in workflow.items() if name != "n8nWorkflowJsonBase64"}
    encoded = base64.b64encode(file.encode()).decode()
    return {**json.loads(renamed(json.dumps(stated))), "n8nWorkflowJsonBase64": encoded}

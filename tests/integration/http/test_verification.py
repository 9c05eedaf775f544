"""Checking a use case over HTTP: by its configuration, or by an archive of its folder."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
import zipfile
from typing import Any

import httpx
import pytest

from shared.validation.engine.examples import SUBMIT, chain, webhook
from tests.chaos.ensemble import document_of, put_document
from tests.integration.world.products import Product, data_of, refusal_of
from tests.support.stack import ROOT

Json = dict[str, Any]

EXAMPLE = ROOT / "examples" / "order-desk"


async def verify(product: Product, **body: Any) -> httpx.Response:
    return await product.post("/verifyUseCasePublic", body)


def archived(files: dict[str, bytes]) -> str:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return base64.b64encode(held.getvalue()).decode()


def folder() -> dict[str, bytes]:
    paths = (path for path in EXAMPLE.rglob("*") if path.is_file())
    return {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in paths}


def valid(product: Product) -> Json:
    """Return a configuration that nothing is wrong with."""
    configuration = product.configuration("v1")
    for workflow in configuration["workflows"]:
        document = document_of(workflow)
        document["settings"]["errorWorkflow"] = "{{ORGSECRET_ERROR_WORKFLOW_ID_TERCESORG}}"
        put_document(workflow, document)
    return configuration


async def test_a_configuration_that_deploys_is_valid(product: Product) -> None:
    configuration = valid(product)

    data = data_of(await verify(product, configuration=configuration))

    assert (data["valid"], data["summary"]["must"]) == (True, 0)
    assert data["filesValidated"] == ["configuration", "workflows/leaf-b.json", "workflows/beta.json"]
    assert data_of(await product.send("v1", configuration=configuration))["deploymentStatus"] == "deployed"


async def test_what_is_wrong_with_a_configuration_is_told_at_once_and_nothing_is_kept(
    product: Product,
) -> None:
    configuration = valid(product)
    leaf, beta = configuration["workflows"]
    beta["n8nWorkflowJsonBase64"] = base64.b64encode(chain(webhook(), SUBMIT).encode()).decode()
    leaf["triggers"] = []

    data = data_of(await verify(product, configuration=configuration))

    assert data["valid"] is False
    found = {(finding["rule"], finding["path"]) for finding in data["findings"]}
    assert {
        ("CONFIGURATION", "configuration"),
        ("TRIGGERS-REQUIRED", "configuration"),
        ("CODIKA-INIT", "workflows/beta.json"),
        ("WEBHOOK-PATH-CONSISTENCY", "configuration"),
    } <= found
    assert (
        sum(data["ruleCount"].values())
        == len(data["findings"])
        == sum(data["summary"][severity] for severity in ("must", "should", "nit"))
    )
    assert (await product.project()).process_id is None


async def test_what_deploying_corrects_is_found_and_said_to_be_corrected(product: Product) -> None:
    data = data_of(await verify(product, configuration=product.configuration("v1")))

    musts = [finding for finding in data["findings"] if finding["severity"] == "must"]
    assert [(m["rule"], m["corrected"], m["fixable"]) for m in musts] == [("WORKFLOW-SETTINGS", True, True)]


async def test_an_archive_of_a_folder_is_judged_as_the_command_line_judges_the_folder(
    product: Product,
) -> None:
    command = (sys.executable, "-m", "infra.verify", str(EXAMPLE), "--json", "--rules", "ALL")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said = json.loads((await process.communicate())[0])

    data = data_of(await verify(product, archive=archived(folder()), rules=["ALL"]))

    assert said["findings"]
    assert data["summary"] == said["summary"]
    assert [(f["rule"], f["message"], f.get("line")) for f in data["findings"]] == [
        (f["rule"], f["message"], f.get("line")) for f in said["findings"]
    ]


async def test_rules_are_chosen_left_out_and_weighed_as_on_the_command_line(product: Product) -> None:
    files = {**folder(), "project.json": b"{}"}
    name = next(name for name in files if name.startswith("workflows/"))
    files[name] = files[name].replace(b'{\n  "name"', b'{"name"', 1)
    archive = archived(files)

    plain = data_of(await verify(product, archive=archive))
    strict = data_of(await verify(product, archive=archive, strict=True))
    without = data_of(await verify(product, archive=archive, strict=True, excludeRules=["workflow-format"]))
    weighed = data_of(await verify(product, archive=archive, severities={"WORKFLOW-FORMAT": "must"}))
    only = data_of(await verify(product, archive=archive, rules=["CK-INIT"]))

    assert [finding["rule"] for finding in plain["findings"]] == ["WORKFLOW-FORMAT"]
    assert [plain["valid"], strict["valid"], without["valid"], weighed["valid"]] == [True, False, True, False]
    assert only["findings"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "either configuration"),
        ({"configuration": {}, "archive": "UEs="}, "either configuration"),
        ({"archive": "%%%"}, "base64"),
        ({"archive": base64.b64encode(b"PK\x03\x04nonsense").decode()}, "cannot be checked"),
        ({"archive": archived({"README.md": b"hello"})}, "holds no use case"),
        ({"archive": archived({"../config.ts": b""})}, "is not allowed"),
        ({"configuration": {}, "rules": ["NO-SUCH-RULE"]}, "NO-SUCH-RULE"),
        ({"configuration": {}, "severities": {"R10": "fatal"}}, "severities"),
    ],
)
async def test_what_cannot_be_checked_is_refused_in_words(product: Product, body: Json, says: str) -> None:
    answer = await verify(product, **body)

    assert refusal_of(answer) == (400, "INVALID_REQUEST")
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "configuration", [{}, [], "text", 7, {"workflows": 7}, {"workflows": [None, {"triggers": 1}]}]
)
async def test_whatever_is_sent_as_a_configuration_is_answered_with_what_is_wrong(
    product: Product, configuration: object
) -> None:
    data = data_of(await verify(product, configuration=configuration, skills=configuration))

    assert data["valid"] is False
    assert data["findings"][0]["rule"] == "CONFIGURATION"

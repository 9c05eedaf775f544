"""The demo: deploy, trigger, poll, and a run that fails."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import httpx

from infra.local.bootstrap.reveal import reveal_instance_key
from infra.local.demo.cli import Cli
from infra.local.errors import LocalStackError
from infra.local.n8n import install, install_codika_cli
from infra.local.stack.addresses import ROOT, cache_folder
from infra.local.stack.stack_file import read_stack_file, write_stack_file

EXAMPLE = ROOT / "examples" / "order-desk"
WORKFLOW = "take-order"

Json = dict[str, object]


async def run(stack_file: Path) -> None:
    """Deploy the example once, then trigger it twice; print what happens.

    Raises:
        LocalStackError: a step does not do what it should.
    """
    content = read_stack_file(stack_file)
    if content is None:
        raise LocalStackError(f"there is no stack file at {stack_file}")
    if not content.get("demo"):
        content["demo"] = await _deploy(content, stack_file)
        write_stack_file(stack_file, content)
    demo = cast("Json", content["demo"])
    base = str(content["baseUrl"])
    async with httpx.AsyncClient(base_url=base, timeout=40, trust_env=False) as http:
        good = await _triggered(http, demo, _payload("ok"))
        _expect(good, "success")
        bad = await _triggered(http, demo, _payload("fails"))
        _expect(bad, "failed")


async def _deploy(content: Mapping[str, object], stack_file: Path) -> Json:
    owner = cast("list[Json]", content["organizations"])[0]
    folder = stack_file.parent / "demo" / EXAMPLE.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE, folder)
    cache = cache_folder()
    installation = await install(cache, lambda step, fraction: None)
    cli = Cli(
        node=installation.node,
        script=await install_codika_cli(cache, installation),
        base_url=str(content["baseUrl"]),
        public_key_url=str(content["publicKeyUrl"]),
        api_key=str(owner["ownerKey"]),
        config_home=stack_file.parent / "demo" / "config",
    )
    print("  codika project create --name 'Order desk' --path order-desk")
    await cli.json("project", "create", "--name", "Order desk", "--path", str(folder))
    print("  codika deploy use-case order-desk")
    started = time.monotonic()
    answer = await cli.json("deploy", "use-case", str(folder))
    workflows = cast("list[Json]", answer.get("workflows", []))
    seconds = time.monotonic() - started
    print(f"    version {answer.get('version')} deployed, {len(workflows)} workflows live, {seconds:.1f} s")
    project = json.loads((folder / "project.json").read_text())
    instance_id = str(project["devProcessInstanceId"])
    return {
        "projectId": project["projectId"],
        "processInstanceId": instance_id,
        "workflowId": WORKFLOW,
        "instanceKey": await reveal_instance_key(instance_id),
        "samplePayload": _payload("ok"),
    }


async def _triggered(http: httpx.AsyncClient, demo: Json, payload: Json) -> Json:
    instance, workflow = demo["processInstanceId"], demo["workflowId"]
    headers = {"X-API-Key": str(demo["instanceKey"])}
    print(f"  POST /webhook/{instance}/{workflow}  {json.dumps(payload)[:100]}")
    started = time.monotonic()
    accepted = (await http.post(f"/webhook/{instance}/{workflow}", json=payload, headers=headers)).json()
    execution_id = accepted.get("executionId")
    if execution_id is None:
        raise LocalStackError(f"the trigger was refused: {accepted.get('error')}")
    print(f"    accepted after {(time.monotonic() - started) * 1000:.0f} ms: execution {execution_id}")
    answer = (await http.get(f"/status/{instance}/{execution_id}?wait=30", headers=headers)).json()
    run = cast("Json", answer["execution"])
    print(f"    {run['status']} after {(time.monotonic() - started) * 1000:.0f} ms: {_said(run)}")
    return run


def _said(run: Json) -> str:
    if run["status"] == "success":
        return json.dumps(run.get("resultData"))
    error = cast("Json", run.get("errorDetails", {}))
    return f"{error.get('type')} in node '{error.get('failedNodeName')}': {error.get('message')}"


def _expect(run: Json, status: str) -> None:
    if run["status"] != status:
        raise LocalStackError(f"the demo expected {status} and got {run['status']}: {_said(run)}")


def _payload(name: str) -> Json:
    return cast("Json", json.loads((EXAMPLE / "payloads" / f"{name}.json").read_text()))

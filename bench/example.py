"""The example use case of five workflows, as its ``config.ts`` states it."""

from __future__ import annotations

import asyncio
import base64
import copy
from typing import cast

import orjson

from bench.api import CallFailed, Json
from infra.local.n8n.node import install_node
from infra.local.stack.addresses import cache_folder
from tests.support.stack import ROOT

_FOLDER = ROOT / "examples" / "order-desk"
_PRINT = "process.stdout.write(JSON.stringify((await import(process.argv[1])).getConfiguration()))"


async def order_desk() -> Json:
    """Return the configuration.

    Raises:
        CallFailed: it cannot be read.
    """
    node = await install_node(cache_folder()) / "bin/node"
    process = await asyncio.create_subprocess_exec(
        node,
        "--input-type=module",
        "--eval",
        _PRINT,
        _FOLDER / "config.ts",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise CallFailed(f"the example cannot be read: {err.decode()}")
    return cast("Json", orjson.loads(out))


def with_one_change(configuration: Json, note: str) -> Json:
    """Return the configuration with another text in one node of its first workflow."""
    changed = copy.deepcopy(configuration)
    workflow = cast("list[Json]", changed["workflows"])[0]
    text = base64.b64decode(str(workflow["n8nWorkflowJsonBase64"])).decode()
    # The files hold placeholders in value position: they are text until the platform resolves them.
    head, found, tail = text.rpartition('"nodes": [')
    if not found:
        raise CallFailed("the example's first workflow does not look as expected")
    node = orjson.dumps(_sticky_note(note)).decode()
    workflow["n8nWorkflowJsonBase64"] = base64.b64encode(f"{head}{found}{node},{tail}".encode()).decode()
    return changed


def _sticky_note(text: str) -> Json:
    return {
        "id": "bench-note",
        "name": "Bench Note",
        "type": "n8n-nodes-base.stickyNote",
        "typeVersion": 1,
        "position": [0, 400],
        "parameters": {"content": text},
    }


def multiplied(configuration: Json, copies: int) -> Json:
    """Return a use case with so many copies of each workflow, each calling the others of its own copy."""
    workflows = cast("list[Json]", configuration["workflows"])
    names = [str(workflow["workflowTemplateId"]) for workflow in workflows]
    many = [_copied(workflow, names, number) for number in range(copies) for workflow in workflows]
    return {**copy.deepcopy(configuration), "workflows": many}


def _copied(workflow: Json, names: list[str], number: int) -> Json:
    def renamed(text: str) -> str:
        for name in names:
            text = text.replace(name, f"{name}-{number}")
        return text

    file = renamed(base64.b64decode(str(workflow["n8nWorkflowJsonBase64"])).decode())
    stated = {name: value for name, value in workflow.items() if name != "n8nWorkflowJsonBase64"}
    encoded = base64.b64encode(file.encode()).decode()
    return {**orjson.loads(renamed(orjson.dumps(stated).decode())), "n8nWorkflowJsonBase64": encoded}

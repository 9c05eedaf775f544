"""n8n's own record of a run, as its owner sees it (api §5.25)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.model.project import Process
from shared.store import refs
from shared.store.store import Patch, Put
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import ScriptedN8n
from tests.integration.world.world import World

SECRET = "the-header-secret-of-the-organization"
Json = dict[str, Any]


async def details(world: World, installed: Installation, execution_id: str, **query: str) -> httpx.Response:
    path = f"/getExecutionDetailsPublic/{installed.id}/{execution_id}"
    return await world.gateway.get(path, world.north.keys["owner"], **query)


async def recorded(installed: Installation, data: Json, n8n_id: str) -> str:
    """Let n8n keep a run with that data, and record ours as linked to it."""
    installed.n8n.record(None, "success", workflow_id=installed.n8n_workflow_id, n8n_id=n8n_id)
    installed.n8n.executions[-1]["data"] = data
    return await installed.record_run(n8n_execution_id=n8n_id)


def node_run(children: list[str] = [], **fields: object) -> Json:  # noqa: B006 - never changed
    """One run of a node that started sub-workflows, one per item."""
    items = [{"json": {}, "metadata": {"subExecution": {"executionId": child}}} for child in children]
    return {"data": {"main": [items]}, **fields}


def run_data(**nodes: list[Json]) -> Json:
    return {"resultData": {"runData": nodes}}


async def test_the_answer_has_the_contracts_keys_and_n8ns_record_as_it_is(
    world: World, installed: Installation
) -> None:
    data = run_data(Ask=[node_run(startTime=5)])
    execution_id = await recorded(installed, data, f"{installed.process_id}-1")

    answer = (await details(world, installed, execution_id)).json()

    assert set(answer) == {"success", "execution", "requestId"}
    assert set(answer["execution"]) == {"codikaExecutionId", "n8nExecutionId", "status", "n8nExecution"}
    assert answer["execution"]["codikaExecutionId"] == execution_id
    assert answer["execution"]["n8nExecution"]["data"] == data
    assert answer["execution"]["n8nExecution"]["startedAt"]


async def test_secrets_in_the_record_are_hidden(world: World, installed: Installation) -> None:
    headers = {"X-Codika-Webhook-Auth": SECRET, "accept": "*/*"}
    body = {"executionMetadata": {"executionSecret": "es1_" + "x" * 75, "executionId": "e"}}
    item = {"json": {"headers": headers, "body": body, "copy": f"Bearer {SECRET}"}}
    data = run_data(Webhook=[{"data": {"main": [[item]]}}])
    execution_id = await recorded(installed, data, f"{installed.process_id}-2")

    answer = await details(world, installed, execution_id)

    assert SECRET not in answer.text
    assert "es1_" not in answer.text
    assert '"executionId":"e"' in answer.text


async def test_deep_attaches_the_runs_of_sub_workflows_and_bears_circles(
    world: World, installed: Installation
) -> None:
    parent, child, grandchild = (f"{installed.process_id}-{name}" for name in ("p", "c", "g"))
    await recorded(installed, run_data(Back=[node_run([parent])]), grandchild)
    await recorded(installed, run_data(Down=[node_run([grandchild, "gone"])]), child)
    execution_id = await recorded(installed, run_data(Call=[node_run([child, child])]), parent)

    shallow = (await details(world, installed, execution_id)).json()["execution"]["n8nExecution"]
    deep = (await details(world, installed, execution_id, deep="true")).json()["execution"]["n8nExecution"]

    assert "_subExecutions" not in str(shallow)
    (attached,) = deep["data"]["resultData"]["runData"]["Call"][0]["_subExecutions"]
    assert attached["id"] == child
    (lowest,) = attached["data"]["resultData"]["runData"]["Down"][0]["_subExecutions"]
    assert lowest["id"] == grandchild
    assert "_subExecutions" not in lowest["data"]["resultData"]["runData"]["Back"][0]


async def test_a_run_of_another_workflow_is_not_shown_whatever_id_was_reported(
    world: World, installed: Installation
) -> None:
    foreign = await world.install(world.south)
    await recorded(foreign, run_data(Ask=[node_run(text="private")]), f"{foreign.process_id}-1")
    execution_id = await installed.record_run(n8n_execution_id=f"{foreign.process_id}-1")

    answer = await details(world, installed, execution_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "N8N_EXECUTION_NOT_FOUND")


async def test_deep_attaches_no_run_of_a_workflow_outside_the_installation(
    world: World, installed: Installation
) -> None:
    outside = [await world.install(world.south), await world.install(world.north)]
    for other in outside:
        await recorded(other, run_data(Ask=[node_run(text="private")]), f"{other.process_id}-1")
    named = node_run([f"{other.process_id}-1" for other in outside])
    execution_id = await recorded(installed, run_data(Forged=[named]), f"{installed.process_id}-4")

    answer = await details(world, installed, execution_id, deep="true")

    assert answer.status_code == 200
    assert "private" not in answer.text
    assert "_subExecutions" not in answer.text


async def test_slim_drops_bulky_links_at_any_depth(world: World, installed: Installation) -> None:
    bulky = {
        "pairedItem": {"item": 0},
        "workflowData": {"nodes": []},
        "kept": {"pairedItem": 1, "text": "pairedItem"},
    }
    execution_id = await recorded(installed, run_data(Ask=[bulky]), f"{installed.process_id}-3")

    slim = await details(world, installed, execution_id, slim="true")

    node = slim.json()["execution"]["n8nExecution"]["data"]["resultData"]["runData"]["Ask"][0]
    assert node == {"kept": {"text": "pairedItem"}}


async def test_a_run_that_has_not_reported_has_no_details_yet(world: World, installed: Installation) -> None:
    answer = await details(world, installed, await installed.record_run())

    assert (answer.status_code, answer.json()["code"]) == (409, "N8N_EXECUTION_ID_NOT_AVAILABLE")
    assert "n8n execution id is not available" in answer.json()["error"]


async def test_a_run_that_n8n_has_pruned_is_said_to_be_gone(world: World, installed: Installation) -> None:
    execution_id = await installed.record_run(n8n_execution_id="pruned")

    answer = await details(world, installed, execution_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "N8N_EXECUTION_NOT_FOUND")


async def test_an_unknown_run_is_not_found(world: World, installed: Installation) -> None:
    answer = await details(world, installed, world.platform.sources.uuid7())

    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


async def test_n8n_being_down_is_said_to_be_n8ns_fault(world: World, own_n8n: ScriptedN8n) -> None:
    installed = await world.install(n8n=own_n8n)
    execution_id = await installed.record_run(n8n_execution_id="1")

    answer = await details(world, installed, execution_id)

    assert (answer.status_code, answer.json()["code"]) == (502, "N8N_UNREACHABLE")
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize("n8n_id", ["../workflows", "a/b", "?x", "%2e%2e", "é"])
async def test_an_odd_n8n_id_reaches_no_other_part_of_n8n(
    world: World, installed: Installation, gateway: Gateway, n8n_id: str
) -> None:
    """A workflow reports its own n8n id: it must not choose what the platform's API key reads."""
    execution_id = await installed.record_run(n8n_execution_id=n8n_id)

    answer = await details(world, installed, execution_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "N8N_EXECUTION_NOT_FOUND")


async def test_what_was_installed_from_another_organization_does_not_show_its_workflow(
    world: World, installed: Installation
) -> None:
    source = "the-code-of-the-publisher"
    node = {"name": "Think", "type": "code", "typeVersion": 2, "parameters": {"jsCode": source}}
    failed = node_run(startTime=5, error={"message": "It broke", "node": node, "stack": source})
    data = run_data(Think=[failed]) | {"executionData": {"nodeExecutionStack": [{"node": node}]}}
    execution_id = await recorded(installed, data, f"{installed.process_id}-foreign")
    installed.n8n.executions[-1]["workflowData"] = {"nodes": [node]}
    process = Process(
        organization_id=installed.tenant.organization_id,
        project_id="project",
        owner_id="somebody",
        title="Sold",
        dev_instance_id="dev",
        created_at=world.platform.sources.now(),
    )
    reference = refs.process(installed.process_id)
    await world.platform.store.commit(Put(reference, process))
    mine = await details(world, installed, execution_id)
    await world.platform.store.commit(Patch(reference, {"organization_id": world.south.organization_id}))

    theirs = await details(world, installed, execution_id, deep="true")

    assert mine.text.count(source) == 4
    assert source not in theirs.text
    (run,) = theirs.json()["execution"]["n8nExecution"]["data"]["resultData"]["runData"]["Think"]
    assert run["error"]["message"] == "It broke"
    assert run["error"]["node"] == {"name": "Think", "type": "code", "typeVersion": 2}


async def test_explain_tells_where_the_whole_tree_failed_and_went_well_last(
    world: World, installed: Installation
) -> None:
    parent, child = (f"{installed.process_id}-trace-{name}" for name in ("p", "c"))
    failing = {
        "Read": [node_run(startTime=20, executionTime=5)],
        "Write": [node_run(startTime=30, error={"message": "No"})],
    }
    await recorded(installed, run_data(**failing), child)
    call = node_run([child], startTime=10, executionTime=99, error={"message": "No"})
    nodes = {"Begin": [node_run(startTime=1, executionTime=1)], "Call": [call]}
    execution_id = await recorded(installed, run_data(**nodes), parent)
    installed.n8n.executions[-1]["workflowData"] = {"name": "Orders", "nodes": []}

    answer = (await details(world, installed, execution_id, explain="true", slim="true")).json()["execution"]

    plain = (await details(world, installed, execution_id, deep="true")).json()["execution"]
    assert set(plain) == {"codikaExecutionId", "n8nExecutionId", "status", "n8nExecution"}
    below = {"workflow": installed.n8n_workflow_id}
    assert answer["trace"] == {
        "failed": [{"workflow": "Orders", "node": "Call"}, {**below, "node": "Write"}],
        "lastSuccessful": [{"workflow": "Orders", "node": "Call"}, {**below, "node": "Read"}],
    }


async def test_deep_attaches_fifty_runs_at_most_and_asks_for_several_at_once(
    world: World, installed: Installation
) -> None:
    children = [f"{installed.process_id}-many-{n}" for n in range(70)]
    for child in children:
        await recorded(installed, run_data(), child)
    execution_id = await recorded(
        installed, run_data(Call=[node_run(children)]), f"{installed.process_id}-many"
    )

    answer = await details(world, installed, execution_id, deep="true")

    (run,) = answer.json()["execution"]["n8nExecution"]["data"]["resultData"]["runData"]["Call"]
    assert [one["id"] for one in run["_subExecutions"]] == children[:49]
    # Key and run, n8n's address, whose workflows they are, who published the process.
    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 4


async def test_errors_of_what_another_organization_published_quote_no_code(
    world: World, installed: Installation
) -> None:
    error = {
        "message": "secretName is not defined [line 3]\nconst secretName",
        "description": "Look at {{ $json.secretName }}",
        "messages": ["at secretName.js:3:4"],
        "context": {"parameter": "secretName"},
        "lineNumber": 3,
    }
    data = run_data(Think=[node_run(error=error)])
    data["resultData"]["error"] = error
    execution_id = await recorded(installed, data, f"{installed.process_id}-quoted")
    process = Process(
        organization_id=world.south.organization_id,
        project_id="project",
        owner_id="somebody",
        title="Sold",
        dev_instance_id="dev",
        created_at=world.platform.sources.now(),
    )
    await world.platform.store.commit(Put(refs.process(installed.process_id), process))

    answer = await details(world, installed, execution_id)

    shown = answer.json()["execution"]["n8nExecution"]["data"]["resultData"]
    assert shown["error"]["message"] == "secretName is not defined"
    assert shown["runData"]["Think"][0]["error"] == shown["error"]
    assert "const secretName" not in answer.text
    assert "$json" not in answer.text
    assert "line 3" not in answer.text
    assert "lineNumber" not in answer.text

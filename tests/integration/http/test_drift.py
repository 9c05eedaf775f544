"""What somebody did to workflows in n8n is found, and undone on request (platform §11.4, decision 0020)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.model.audit import AuditEvent
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Delete, Patch
from tests.integration.world.products import Json, Product, data_of, refusal_of

Meddle = Callable[[Product, Json], None]


async def checked(product: Product, instance_id: str) -> Json:
    query = {"processInstanceId": instance_id}
    answer = await product.world.gateway.get(
        "/checkInstanceDriftPublic", product.tenant.keys["owner"], **query
    )
    return data_of(answer)


async def repaired(product: Product, instance_id: str) -> Json:
    return data_of(await product.post("/repairInstanceDriftPublic", {"processInstanceId": instance_id}))


def codes(report: Json) -> dict[str, list[str]]:
    return {w["workflowId"]: [f["code"] for f in w["findings"]] for w in report["workflows"] if w["findings"]}


def _edit(product: Product, workflow: Json, *, published: bool) -> None:
    nodes = [n for n in workflow["nodes"] if n["name"] != "Mark"]
    product.n8n.edit(workflow["id"], nodes, published=published)


def _edit_live(product: Product, workflow: Json) -> None:
    _edit(product, workflow, published=True)


def _edit_draft(product: Product, workflow: Json) -> None:
    live = workflow["activeVersionId"]
    _edit(product, workflow, published=False)
    workflow["activeVersionId"] = live


def _take_off(product: Product, workflow: Json) -> None:
    workflow["activeVersionId"] = None


def _rename(product: Product, workflow: Json) -> None:
    workflow["name"] = f"{workflow['name']} (mine)"


def _resettle(product: Product, workflow: Json) -> None:
    workflow["settings"]["errorWorkflow"] = "another"


def _delete(product: Product, workflow: Json) -> None:
    del product.n8n.kept[workflow["id"]]


def _archive(product: Product, workflow: Json) -> None:
    workflow |= {"isArchived": True, "activeVersionId": None}


MEDDLING: dict[str, Meddle] = {
    "other_version": _edit_live,
    "draft_edited": _edit_draft,
    "not_published": _take_off,
    "renamed": _rename,
    "settings_changed": _resettle,
    "missing": _delete,
    "archived": _archive,
}


async def test_what_was_just_deployed_has_not_drifted(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]

    report = await checked(product, instance_id)

    assert (report["drifted"], report["orphans"], report["version"]) == (False, [], "1.0")
    assert [w["workflowId"] for w in report["workflows"]] == ["leaf-b", "beta"]
    assert codes(report) == {}


@pytest.mark.parametrize("code", MEDDLING)
async def test_meddling_is_found_undone_and_found_no_more(product: Product, code: str) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    workflow = product.in_n8n(instance_id)["beta"]
    MEDDLING[code](product, workflow)

    found = await checked(product, instance_id)
    assert codes(found) == {"beta": [code]}
    done = await repaired(product, instance_id)

    assert (done["repaired"], done["deploymentStatus"], codes(done)) == (True, "deployed", codes(found))
    assert not (await checked(product, instance_id))["drifted"]
    live = [w for w in product.in_n8n(instance_id).values() if not w.get("isArchived")]
    assert len(live) >= 2
    key = product.tenant.keys["owner"]
    assert (await product.post(f"/webhook/{instance_id}/beta", {}, key)).status_code == 200


async def test_an_edit_is_described_by_the_names_of_its_nodes(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    _edit_live(product, product.in_n8n(instance_id)["beta"])

    (workflow,) = [w for w in (await checked(product, instance_id))["workflows"] if w["findings"]]

    assert workflow["findings"][0]["details"] == ["node 'Mark' removed"]


async def test_a_workflow_nobody_recorded_is_an_orphan_and_removed(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    beta = product.in_n8n(instance_id)["beta"]
    product.n8n.kept["stray"] = {**beta, "id": "stray", "activeVersionId": None}

    assert (await checked(product, instance_id))["orphans"] == ["stray"]
    await repaired(product, instance_id)

    assert "stray" not in product.n8n.kept
    assert not (await checked(product, instance_id))["drifted"]


async def test_documents_of_ours_that_are_lost_are_written_again(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    beta = product.in_n8n(instance_id)["beta"]["id"]
    owner = refs.n8n_workflow(product.tenant.organization_id, beta)
    endpoint = refs.endpoint(instance_id, "beta")
    await product.world.platform.store.commit(Delete(owner), Patch(endpoint, {"n8n_workflow_id": "other"}))

    assert codes(await checked(product, instance_id)) == {"beta": ["endpoint", "owner"]}
    await repaired(product, instance_id)

    assert (await product.endpoint(instance_id)).n8n_workflow_id == beta
    assert not (await checked(product, instance_id))["drifted"]


async def test_a_workflow_recorded_as_another_installations_is_recorded_as_this_ones_again(
    product: Product,
) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    owner = refs.n8n_workflow(product.tenant.organization_id, product.in_n8n(instance_id)["beta"]["id"])
    await product.world.platform.store.commit(Patch(owner, {"process_instance_id": "another"}))

    assert codes(await checked(product, instance_id)) == {"beta": ["owner"]}
    await repaired(product, instance_id)

    found = await product.world.platform.store.get(owner)
    assert found is not None
    assert found.value.process_instance_id == instance_id


async def test_nothing_is_touched_where_nothing_drifted(product: Product) -> None:
    first = await product.deploy("v1")
    asked = len(product.n8n.asked)

    done = await repaired(product, first["processInstanceId"])

    assert (done["repaired"], done["drifted"]) == (False, False)
    assert done["deploymentInstanceId"] == first["deploymentInstanceId"]
    assert {action for action, _ in product.n8n.asked[asked:]} <= {"read", "list"}


async def test_a_repair_leaves_alone_what_is_as_it_should_be(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    _take_off(product, product.in_n8n(instance_id)["beta"])
    leaf = product.in_n8n(instance_id)["leaf-b"]["name"]
    asked = len(product.n8n.asked)

    await repaired(product, instance_id)

    assert {action for action, name in product.n8n.asked[asked:] if name == leaf} == {"read"}


async def test_a_paused_installation_is_repaired_and_stays_paused(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    await product.pause(instance_id)
    beta = product.in_n8n(instance_id)["beta"]
    product.n8n.edit(beta["id"], beta["nodes"], published=True)

    assert codes(await checked(product, instance_id)) == {"beta": ["published"]}
    assert (await repaired(product, instance_id))["deploymentStatus"] == "deployed"

    assert product.n8n.published(instance_id) == []
    assert not (await product.instance(instance_id)).is_active
    assert not (await checked(product, instance_id))["drifted"]


async def test_a_repair_that_n8n_refuses_says_so_and_can_be_repeated(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    _delete(product, product.in_n8n(instance_id)["beta"])
    product.n8n.refuse("create", "n8n is out of order")

    done = await repaired(product, instance_id)
    assert (done["repaired"], done["deploymentStatus"]) == (False, "failed")
    assert "n8n is out of order" in done["error"]

    assert (await repaired(product, instance_id))["repaired"]
    assert not (await checked(product, instance_id))["drifted"]


async def test_a_failed_update_does_not_keep_what_runs_from_being_repaired(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    product.n8n.refuse("save", "n8n is out of order")
    assert (await product.deploy("v2"))["deploymentStatus"] == "failed"
    _edit_live(product, product.in_n8n(instance_id)["beta"])

    assert (await repaired(product, instance_id))["repaired"]

    assert product.greets(instance_id) == ["Hello", "v1"]


@pytest.mark.parametrize("state", ["archived", "never deployed", "deploying"])
async def test_what_cannot_be_compared_is_refused_with_the_reason(product: Product, state: str) -> None:
    if state == "never deployed":
        product.n8n.refuse("create", "n8n is out of order")
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    now: Any = product.world.platform.sources.now()
    changes: dict[str, dict[str, object]] = {
        "archived": {"archived": True},
        "deploying": {"deploying": "another", "deploying_until": now.replace(year=now.year + 1)},
        "never deployed": {},
    }
    await product.world.platform.store.commit(Patch(refs.instance(instance_id), changes[state]))

    refused = refusal_of(await product.post("/repairInstanceDriftPublic", {"processInstanceId": instance_id}))

    assert (
        refused
        == {
            "archived": (409, "INSTANCE_ARCHIVED"),
            "never deployed": (400, "NOT_DEPLOYED"),
            "deploying": (409, "DEPLOYMENT_IN_PROGRESS"),
        }[state]
    )


async def test_a_repair_is_in_the_audit_log_with_what_was_found(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    _edit_live(product, product.in_n8n(instance_id)["beta"])
    await repaired(product, instance_id)

    log = below(refs.organization(product.tenant.organization_id), "auditEvents", AuditEvent)
    entries = await find(product.world.platform.store, log.where("target", "==", instance_id))

    (entry,) = [e.value for e in entries if e.value.action == "instance.drift_repaired"]
    assert entry.details == {"version": "1.0", "findings": ["other_version"], "orphans": 0}

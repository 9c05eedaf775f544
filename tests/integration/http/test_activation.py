"""Switching installations on and off, and archiving them (api §5.20, §5.21, platform §11.3)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.model.audit import AuditEvent
from shared.model.deployment import DeploymentStatus
from shared.model.execution import DispatchState
from shared.model.instance import Environment, InactiveReason, SharedWith
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Create
from tests.integration.world.ensembles import CALLS, Ensemble, install_ensemble
from tests.integration.world.gateway import eventually
from tests.integration.world.n8n import ScriptedN8n, started
from tests.integration.world.world import World

ANSWER = {"processInstanceId", "isActive", "status", "workflowCount", "workflowsAffected"}


async def turn(world: World, which: str, ensemble: Ensemble, key: str | None = None) -> httpx.Response:
    """Call ``activate`` or ``deactivate``."""
    path = f"/{which}ProcessInstancePublic"
    body = {"processInstanceId": ensemble.id}
    return await world.gateway.post(path, key or ensemble.installed.tenant.keys["owner"], body)


async def trigger(world: World, ensemble: Ensemble) -> httpx.Response:
    return await world.gateway.post(f"/webhook/{ensemble.id}/main", ensemble.installed.key)


async def audited(world: World, ensemble: Ensemble) -> list[AuditEvent]:
    organization = refs.organization(ensemble.installed.tenant.organization_id)
    query = below(organization, "auditEvents", AuditEvent).where("target", "==", ensemble.id)
    events = [found.value for found in await find(world.platform.store, query)]
    return sorted(events, key=lambda event: event.created_at)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_deactivated_installation_takes_no_runs_and_nothing_of_it_runs_in_n8n(world: World) -> None:
    ensemble = await install_ensemble(world)

    answer = await turn(world, "deactivate", ensemble)

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert set(data) == ANSWER
    assert data == {
        "processInstanceId": ensemble.id,
        "isActive": False,
        "status": "inactive",
        "workflowCount": 4,
        "workflowsAffected": 4,
    }
    assert ensemble.running == set()
    assert ensemble.settled_in_n8n(), "the answer came before n8n was done"
    instance = await ensemble.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    assert set((await ensemble.endpoints_active()).values()) == {False}
    assert {row.n8n_workflow_is_active for row in (await ensemble.deployment()).workflows} == {False}
    refused = await trigger(world, ensemble)
    assert (refused.status_code, refused.json()["code"]) == (412, "INSTANCE_INACTIVE")


async def test_callers_are_taken_off_before_what_they_call_and_put_on_after_it(world: World) -> None:
    ensemble = await install_ensemble(world)

    await turn(world, "deactivate", ensemble)
    off = [name for action, name in ensemble.log if action == "unpublish"]
    await turn(world, "activate", ensemble)
    on = [name for action, name in ensemble.log if action == "publish"]

    assert sorted(off) == sorted(on) == sorted(CALLS)
    for name, called in CALLS.items():
        assert all(off.index(name) < off.index(child) for child in called)
        assert all(on.index(child) < on.index(name) for child in called)


async def test_an_activated_installation_takes_runs_at_once(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    ensemble.installed.behave(started)

    answer = await turn(world, "activate", ensemble)

    assert answer.json()["data"] == {
        "processInstanceId": ensemble.id,
        "isActive": True,
        "status": "active",
        "workflowCount": 4,
        "workflowsAffected": 4,
    }
    assert ensemble.running == set(CALLS)
    assert ensemble.settled_in_n8n(), "the answer came before n8n was done"
    instance = await ensemble.instance()
    assert (instance.is_active, instance.inactive_reason) == (True, None)
    assert {row.n8n_workflow_is_active for row in (await ensemble.deployment()).workflows} == {True}
    accepted = await trigger(world, ensemble)
    assert accepted.status_code == 200
    await eventually(lambda: ensemble.installed.calls)


@pytest.mark.parametrize(("which", "active"), [("activate", True), ("deactivate", False)])
async def test_what_is_so_already_is_a_success_that_asks_n8n_nothing(
    world: World, which: str, active: bool
) -> None:
    ensemble = await install_ensemble(world, active=active)

    answer = await turn(world, which, ensemble)

    assert answer.status_code == 200
    assert (answer.json()["data"]["isActive"], answer.json()["data"]["workflowCount"]) == (active, 0)
    assert ensemble.log == []
    assert await audited(world, ensemble) == []


async def test_every_switch_is_in_the_audit_log_with_who_did_it(world: World) -> None:
    ensemble = await install_ensemble(world)

    await turn(world, "deactivate", ensemble, world.north.keys["admin"])
    await turn(world, "activate", ensemble)

    off, on = await audited(world, ensemble)
    assert (off.action, off.details) == ("instance.deactivated", {"reason": "user_paused"})
    assert off.actor_user_id == world.north.users["admin"]
    assert (on.action, on.actor_user_id) == ("instance.activated", world.north.users["owner"])


async def test_only_one_of_several_switches_at_once_is_carried_out(world: World) -> None:
    ensemble = await install_ensemble(world)

    answers = await asyncio.gather(*(turn(world, "deactivate", ensemble) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert [a for a in answers if a.status_code == 200]
    assert {refusal(a)[1] for a in answers if a.status_code == 409} <= {"DEPLOYMENT_IN_PROGRESS"}
    assert len(ensemble.log) == 4
    assert len(await audited(world, ensemble)) == 1


@pytest.mark.parametrize(("which", "active"), [("activate", False), ("deactivate", True)])
async def test_nothing_is_switched_while_a_deployment_is_at_work(
    world: World, which: str, active: bool
) -> None:
    ensemble = await install_ensemble(world, active=active)
    await ensemble.change_deployment(deployment_status=DeploymentStatus.DEPLOYING)

    assert refusal(await turn(world, which, ensemble)) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert ensemble.log == []


async def test_nothing_is_switched_while_somebody_holds_the_installation(world: World) -> None:
    ensemble = await install_ensemble(world)
    now = world.platform.sources.now()
    await ensemble.change(deploying="another", deploying_until=now + timedelta(minutes=1))

    assert refusal(await turn(world, "deactivate", ensemble)) == (409, "DEPLOYMENT_IN_PROGRESS")

    await ensemble.change(deploying="another", deploying_until=now - timedelta(seconds=1))
    assert (await turn(world, "deactivate", ensemble)).status_code == 200
    assert (await ensemble.instance()).deploying is None


async def test_an_installation_whose_deployment_failed_says_to_rerun_it(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    await ensemble.change_deployment(deployment_status=DeploymentStatus.FAILED, error="Node X is broken")

    answer = await turn(world, "activate", ensemble)

    assert refusal(answer) == (400, "DEPLOYMENT_FAILED")
    assert "Rerun the deployment" in answer.json()["error"]["message"]
    assert "Node X is broken" in answer.json()["error"]["message"]


async def test_a_missing_integration_is_named_and_keeps_the_installation_off(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    said = "Connect these integrations and rerun the deployment: slack."
    failed = DeploymentStatus.FAILED
    await ensemble.change_deployment(deployment_status=failed, error=said, error_code="MISSING_INTEGRATION")
    await ensemble.change(inactive_reason=InactiveReason.MISSING_INTEGRATION)

    answer = await turn(world, "activate", ensemble)

    assert refusal(answer) == (409, "MISSING_INTEGRATION")
    assert "slack" in answer.json()["error"]["message"]


async def test_a_failed_update_leaves_the_version_before_it_to_be_paused(world: World) -> None:
    ensemble = await install_ensemble(world)
    deployment = await ensemble.deployment()
    failed = deployment.model_copy(update={"deployment_status": DeploymentStatus.FAILED})
    again = refs.deployment(f"{ensemble.deployment_id}-2")
    await world.platform.store.commit(Create(again, failed))
    await ensemble.change(current_deployment_instance_id=f"{ensemble.deployment_id}-2")

    assert (await turn(world, "activate", ensemble)).status_code == 200
    assert (await turn(world, "deactivate", ensemble)).json()["data"]["workflowCount"] == 4
    assert refusal(await turn(world, "activate", ensemble)) == (400, "DEPLOYMENT_FAILED")


async def test_n8n_being_down_changes_nothing(world: World, own_n8n: ScriptedN8n) -> None:
    tenant = await world.tenant_on(own_n8n)
    await own_n8n.come_up()
    ensemble = await install_ensemble(world, tenant, n8n=own_n8n)
    await own_n8n.go_down()

    answer = await turn(world, "deactivate", ensemble)

    assert refusal(answer) == (502, "N8N_UNREACHABLE")
    instance = await ensemble.instance()
    assert (instance.is_active, instance.switching, instance.deploying) == (True, False, None)
    assert (await trigger(world, ensemble)).status_code == 200


async def test_what_n8n_refuses_to_publish_leaves_everything_off(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    said = "Cannot publish workflow: Missing required credential: slack"
    world.n8n.workflows.refusals["publish", ensemble.n8n_id("main")] = (400, said)

    answer = await turn(world, "activate", ensemble)

    assert refusal(answer) == (502, "N8N_REFUSED")
    assert said in answer.json()["error"]["message"]
    assert ensemble.running == set()
    instance = await ensemble.instance()
    assert (instance.is_active, instance.switching, instance.deploying) == (False, False, None)
    assert instance.inactive_reason is InactiveReason.USER_PAUSED
    assert (await trigger(world, ensemble)).status_code == 412


@pytest.mark.parametrize("obeyed", range(4))
async def test_n8n_going_down_while_workflows_are_taken_off_leaves_no_run_accepted(
    world: World, own_n8n: ScriptedN8n, obeyed: int
) -> None:
    tenant = await world.tenant_on(own_n8n)
    await own_n8n.come_up()
    ensemble = await install_ensemble(world, tenant, n8n=own_n8n)
    own_n8n.workflows.obeys_for = obeyed

    answer = await turn(world, "deactivate", ensemble)

    assert answer.status_code == 502
    assert "takes no runs any more" in answer.json()["error"]["message"]
    assert (await trigger(world, ensemble)).status_code == 412
    assert ensemble.running
    own_n8n.workflows.obeys_for = None
    await eventually(lambda: not ensemble.running)
    while (await ensemble.instance()).switching:
        await asyncio.sleep(0.05)
    assert (await ensemble.instance()).inactive_reason is InactiveReason.USER_PAUSED


@pytest.mark.parametrize("obeyed", range(4))
async def test_n8n_going_down_while_workflows_are_put_on_leaves_them_off(
    world: World, own_n8n: ScriptedN8n, obeyed: int
) -> None:
    tenant = await world.tenant_on(own_n8n)
    await own_n8n.come_up()
    ensemble = await install_ensemble(world, tenant, n8n=own_n8n, active=False)
    own_n8n.workflows.obeys_for = obeyed

    assert (await turn(world, "activate", ensemble)).status_code == 502

    assert (await trigger(world, ensemble)).status_code == 412
    own_n8n.workflows.obeys_for = None
    await eventually(lambda: not ensemble.running)
    answer = await turn(world, "activate", ensemble)
    while answer.status_code == 409:
        answer = await turn(world, "activate", ensemble)
    assert answer.json()["data"]["workflowCount"] == 4


@pytest.mark.parametrize("which", ["activate", "deactivate"])
@pytest.mark.parametrize("left", [(), ("tax",), ("tax", "price"), tuple(CALLS)])
async def test_a_switch_whose_worker_died_is_completed_by_the_next_one(
    world: World, which: str, left: tuple[str, ...]
) -> None:
    ensemble = await install_ensemble(world, active=False)
    for name in left:
        workflow = world.n8n.workflows.known[ensemble.n8n_id(name)]
        workflow.active_version_id = workflow.version_id
    await ensemble.change(switching=True)

    answer = await turn(world, which, ensemble)

    on = which == "activate"
    assert answer.json()["data"]["workflowCount"] == (4 - len(left) if on else len(left))
    assert ensemble.running == (set(CALLS) if on else set())
    instance = await ensemble.instance()
    assert (instance.is_active, instance.switching) == (on, False)


async def test_a_switch_whose_worker_died_is_completed_by_its_task(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    for name in ("tax", "price"):
        world.n8n.workflows.known[ensemble.n8n_id(name)].active_version_id = f"version-{name}"
    await ensemble.change(switching=True)
    body = {"processInstanceId": ensemble.id}

    first = await world.deliver("settleInstanceSwitch", body)
    second = await world.deliver("settleInstanceSwitch", body)

    assert (first.json()["data"]["outcome"], second.json()["data"]["outcome"]) == ("taken off", "finished")
    assert ensemble.running == set()
    assert not (await ensemble.instance()).switching


async def test_a_switch_books_a_look_at_itself_and_takes_it_back(world: World) -> None:
    ensemble = await install_ensemble(world)
    before = await world.booked("deploy", "switch-")

    await turn(world, "deactivate", ensemble)

    assert await world.booked("deploy", "switch-") == before


async def test_runs_that_go_on_are_waited_for_before_anything_is_taken_off(world: World) -> None:
    ensemble = await install_ensemble(world)
    installed = ensemble.installed
    run = await installed.record_run(dispatch=DispatchState.ACCEPTED, started_at=world.platform.sources.now())
    n8n_id = world.n8n.record(run, "running", workflow_id=installed.n8n_workflow_id)

    switching = asyncio.create_task(turn(world, "deactivate", ensemble))
    await asyncio.sleep(1.5)
    assert not switching.done()
    assert ensemble.running == set(CALLS)
    assert (await trigger(world, ensemble)).status_code == 412

    world.n8n.record(run, "success", workflow_id=installed.n8n_workflow_id, n8n_id=n8n_id)
    assert (await switching).status_code == 200
    assert ensemble.running == set()


async def test_a_run_that_was_accepted_before_the_pause_but_not_sent_fails_with_a_code(world: World) -> None:
    ensemble = await install_ensemble(world)
    run = await ensemble.installed.record_run()
    await turn(world, "deactivate", ensemble)
    endpoint = await ensemble.installed.endpoint()
    order = {
        "processInstanceId": ensemble.id,
        "executionId": run,
        "organizationId": endpoint.organization_id,
        "processId": endpoint.process_id,
        "workflowId": "main",
        "userId": endpoint.user_id,
        "url": f"{world.n8n.url}/webhook/{ensemble.installed.webhook}",
        "method": "POST",
        "webhookSecret": endpoint.webhook_secret,
        "payload": {},
    }

    await world.deliver("dispatchExecution", order)

    state = await world.gateway.status(ensemble.id, run, ensemble.installed.key)
    assert (state["status"], state["errorDetails"]["code"]) == ("failed", "INSTANCE_INACTIVE")
    assert ensemble.installed.calls == []


async def test_activating_one_environment_switches_the_owners_other_one_off_if_the_process_says_so(
    world: World,
) -> None:
    dev = await install_ensemble(world, auto_toggle=True)
    prod = await install_ensemble(
        world, active=False, environment=Environment.PROD, beside=dev, auto_toggle=True
    )

    data = (await turn(world, "activate", prod)).json()["data"]

    assert set(data) == {*ANSWER, "autoToggled"}
    assert data["autoToggled"] == {"processInstanceId": dev.id, "environment": "dev", "status": "inactive"}
    assert (prod.running, dev.running) == (set(CALLS), set())
    assert (await dev.instance()).inactive_reason is InactiveReason.AUTO_TOGGLED

    back = (await turn(world, "activate", dev)).json()["data"]
    assert back["autoToggled"]["processInstanceId"] == prod.id
    assert (prod.running, dev.running) == (set(), set(CALLS))


async def test_both_environments_run_side_by_side_otherwise(world: World) -> None:
    dev = await install_ensemble(world)
    prod = await install_ensemble(world, active=False, environment=Environment.PROD, beside=dev)

    data = (await turn(world, "activate", prod)).json()["data"]

    assert set(data) == ANSWER
    assert (prod.running, dev.running) == (set(CALLS), set(CALLS))


async def test_auto_toggle_leaves_the_installations_of_others_alone(world: World) -> None:
    dev = await install_ensemble(world, auto_toggle=True, owner="member")
    prod = await install_ensemble(
        world, active=False, environment=Environment.PROD, beside=dev, auto_toggle=True
    )

    assert set((await turn(world, "activate", prod)).json()["data"]) == ANSWER
    assert dev.running == set(CALLS)


async def test_a_member_switches_what_is_shared_and_nothing_else(world: World) -> None:
    shared = await install_ensemble(world, shared_with=SharedWith.EVERYONE)
    private = await install_ensemble(world)
    key = world.north.keys["member"]

    refused = await turn(world, "deactivate", private, key)

    assert refusal(refused) == (403, "FORBIDDEN")
    assert "access to this process instance" in refused.json()["error"]["message"]
    assert (await turn(world, "deactivate", shared, key)).status_code == 200


async def test_an_unknown_installation_is_not_found(world: World) -> None:
    body = {"processInstanceId": world.platform.sources.uuid7()}
    for name in ("activateProcessInstancePublic", "deactivateProcessInstancePublic"):
        answer = await world.gateway.post(f"/{name}", world.north.keys["owner"], body)
        assert refusal(answer) == (404, "INSTANCE_NOT_FOUND")
        assert "not found" in answer.json()["error"]["message"]


async def archive(world: World, ensemble: Ensemble, name: str = "archive") -> httpx.Response:
    body = {"processInstanceId": ensemble.id}
    return await world.gateway.post(f"/{name}ProcessInstance", world.north.keys["owner"], body)


async def test_an_archived_installation_is_off_and_cannot_be_activated_until_it_is_got_back(
    world: World,
) -> None:
    ensemble = await install_ensemble(world)

    answer = await archive(world, ensemble)

    assert answer.json()["data"] == {"processInstanceId": ensemble.id, "archived": True}
    assert ensemble.running == set()
    instance = await ensemble.instance()
    assert (instance.archived, instance.inactive_reason) == (True, InactiveReason.ARCHIVED)
    assert refusal(await turn(world, "activate", ensemble)) == (409, "INSTANCE_ARCHIVED")
    assert (await trigger(world, ensemble)).status_code == 412

    answer = await archive(world, ensemble, "unarchive")
    assert answer.json()["data"] == {"processInstanceId": ensemble.id, "archived": False}
    instance = await ensemble.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.USER_PAUSED)
    assert (await turn(world, "activate", ensemble)).status_code == 200


async def test_archiving_twice_is_one_change(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)

    for name in ("archive", "archive", "unarchive", "unarchive"):
        assert (await archive(world, ensemble, name)).status_code == 200

    assert [e.action for e in await audited(world, ensemble)] == ["instance.archived", "instance.unarchived"]

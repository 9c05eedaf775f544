"""The process that switches or archives an installation is killed at every point of that (decision 0010).

What it leaves is an installation that is off, of which n8n may run parts. Its task, the same call again, or
the opposite one brings n8n and the record together.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.model.audit import AuditEvent
from shared.model.instance import InactiveReason
from shared.store import refs
from shared.store.query import below, find
from tests.integration.world.ensembles import CALLS, Ensemble, install_ensemble
from tests.integration.world.world import World

ON = ("switch.begun", "switch.level_published", "switch.level_published:2", "switch.published")
OFF = ("switch.recorded", "switch.level_unpublished", "switch.level_unpublished:2", "switch.unpublished")
PATHS = {
    "activate": "activateProcessInstancePublic",
    "deactivate": "deactivateProcessInstancePublic",
    "archive": "archiveProcessInstance",
}
CASES = [("activate", at) for at in ON] + [(name, at) for name in ("deactivate", "archive") for at in OFF]
every_case = pytest.mark.parametrize(("name", "at"), CASES)


async def call(world: World, name: str, ensemble: Ensemble) -> httpx.Response:
    body = {"processInstanceId": ensemble.id}
    return await world.gateway.post(f"/{PATHS[name]}", world.north.keys["owner"], body)


async def killed(world: World, folder: Path, name: str, at: str) -> Ensemble:
    """Switch an installation by a gateway that dies at a point of it, and let its turn run out."""
    ensemble = await install_ensemble(world, active=name != "activate")
    order = folder / "kill-at"
    order.write_text(at)
    dying = await world.another_gateway(f"dying-{folder.name}", PODIUM_KILL_FILE=str(order))
    with pytest.raises(httpx.TransportError):
        await dying.post(f"/{PATHS[name]}", world.north.keys["owner"], {"processInstanceId": ensemble.id})
    assert not order.exists(), f"{at} was never reached"
    await assert_off(ensemble, name)
    return ensemble


async def assert_off(ensemble: Ensemble, name: str) -> None:
    """Check that no run is accepted, others are told to wait, and somebody will look."""
    world, instance = ensemble.world, await ensemble.instance()
    assert (instance.is_active, instance.switching) == (False, True)
    assert instance.archived is (name == "archive")
    trigger = await world.gateway.post(f"/webhook/{ensemble.id}/main", ensemble.installed.key)
    assert trigger.status_code == 412
    again = await call(world, name, ensemble)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "DEPLOYMENT_IN_PROGRESS")
    assert len(await world.booked("deploy", str(instance.deploying))) == 1


async def let_turn_end(ensemble: Ensemble) -> None:
    now = ensemble.world.platform.sources.now()
    await ensemble.change(deploying_until=now - timedelta(seconds=1))


async def assert_agrees(ensemble: Ensemble, *, on: bool) -> None:
    """Check that n8n, the record and what is triggered say the same, and nobody is at work."""
    instance = await ensemble.instance()
    assert (instance.is_active, instance.switching, instance.deploying) == (on, False, None)
    assert ensemble.running == (set(CALLS) if on else set())
    assert set((await ensemble.endpoints_active()).values()) == {on}
    assert {row.n8n_workflow_is_active for row in (await ensemble.deployment()).workflows} == {on}
    answer = await ensemble.world.gateway.post(f"/webhook/{ensemble.id}/main", ensemble.installed.key)
    assert answer.status_code == (200 if on else 412)


async def actions(ensemble: Ensemble) -> list[str]:
    organization = refs.organization(ensemble.installed.tenant.organization_id)
    query = below(organization, "auditEvents", AuditEvent).where("target", "==", ensemble.id)
    return sorted(found.value.action for found in await find(ensemble.world.platform.store, query))


@every_case
async def test_its_task_takes_off_what_it_left_in_n8n_and_comes_twice_without_harm(
    world: World, tmp_path: Path, name: str, at: str
) -> None:
    ensemble = await killed(world, tmp_path, name, at)
    body = {"processInstanceId": ensemble.id}
    early = await world.deliver("settleInstanceSwitch", body)
    await let_turn_end(ensemble)

    outcomes = [
        (await world.deliver("settleInstanceSwitch", body)).json()["data"]["outcome"] for _ in range(2)
    ]

    assert early.status_code == 409, "its worker may be alive"
    assert outcomes == ["taken off", "finished"]
    await assert_agrees(ensemble, on=False)
    reasons = {"archive": InactiveReason.ARCHIVED}
    assert (await ensemble.instance()).inactive_reason is reasons.get(name, InactiveReason.USER_PAUSED)


@every_case
async def test_the_same_call_again_completes_it_and_is_told_to_the_audit_log_once(
    world: World, tmp_path: Path, name: str, at: str
) -> None:
    ensemble = await killed(world, tmp_path, name, at)
    await let_turn_end(ensemble)

    answers = [await call(world, name, ensemble) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    await assert_agrees(ensemble, on=name == "activate")
    told = {
        "activate": ["instance.activated"],
        "deactivate": ["instance.deactivated"],
        "archive": ["instance.archived", "instance.deactivated"],
    }
    assert await actions(ensemble) == told[name]


@every_case
async def test_the_opposite_call_wins_whatever_was_left(
    world: World, tmp_path: Path, name: str, at: str
) -> None:
    ensemble = await killed(world, tmp_path, name, at)
    await let_turn_end(ensemble)
    if name == "archive":
        refused = await call(world, "activate", ensemble)
        assert refused.json()["error"]["code"] == "INSTANCE_ARCHIVED"
        body = {"processInstanceId": ensemble.id}
        back = await world.gateway.post("/unarchiveProcessInstance", world.north.keys["owner"], body)
        assert back.status_code == 200, back.text

    answer = await call(world, "deactivate" if name == "activate" else "activate", ensemble)

    assert answer.status_code == 200, answer.text
    await assert_agrees(ensemble, on=name != "activate")

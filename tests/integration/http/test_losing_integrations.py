"""What becomes of everything that stands on an integration when that is deleted, or its member is removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.model.audit import AuditAction
from shared.model.ingestion import IngestionStatus
from shared.model.instance import InactiveReason
from shared.model.integrations import ContextType, Holder, Integration
from shared.services.integrations.forsaken import ForsakenOrder
from shared.store import refs
from tests.integration.world.audits import events
from tests.integration.world.authorizing import authorize, begin
from tests.integration.world.credentialed import OPENAI, Site, credential_site
from tests.integration.world.gateway import Gateway
from tests.integration.world.integrations import CUSTOM
from tests.integration.world.oauth import Authority, Person
from tests.integration.world.world import World

HERE = {"integrationId": "openai", "contextType": "organization"}


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    site = await credential_site(world)
    yield site
    await site.n8n.go_down()


async def delete(site: Site, gateway: Gateway | None = None, **more: Any) -> httpx.Response:
    body = {**HERE, "confirmDeletion": True, **more}
    gateway = gateway or site.world.gateway
    return await gateway.post("/deleteIntegrationPublic", site.tenant.keys["owner"], body)


async def dying(site: Site, folder: Path, at: str) -> Gateway:
    """Return a gateway that dies at a point."""
    (order := folder / "kill-at").write_text(at)
    return await site.world.another_gateway(f"dying-{folder.name}", PODIUM_KILL_FILE=str(order))


async def until_taken(site: Site) -> httpx.Response:
    """Delete as a client that repeats what is refused because somebody is at work."""
    async with asyncio.timeout(30):
        while (answer := await delete(site)).status_code == 409:
            await asyncio.sleep(0.1)
    return answer


async def until_held(site: Site) -> None:
    """Wait until a deployment has all it needs and is publishing."""
    async with asyncio.timeout(20):
        while not any(action == "publish" for action, _ in site.n8n.asked):
            await asyncio.sleep(0.02)


async def integration(site: Site) -> Integration | None:
    organization_id = site.tenant.organization_id
    holder = Holder(ContextType.ORGANIZATION, organization_id, organization_id)
    found = await site.world.platform.store.get(refs.integration(holder, "openai"))
    return found.value if found else None


async def assert_stopped(site: Site) -> None:
    instance = await site.instance()
    assert (instance.is_active, instance.inactive_reason) == (False, InactiveReason.MISSING_INTEGRATION)
    assert site.n8n.published(site.instance_id) == []


async def assert_ingestion_stopped(site: Site, data_ingestion_id: str) -> None:
    ingestion, process = await site.ingestion(data_ingestion_id), await site.process()
    assert (ingestion.status, ingestion.error_code) == (IngestionStatus.INACTIVE, "MISSING_INTEGRATION")
    assert process.active_data_ingestion is None
    assert (process.ingesting, ingestion.leftovers) == (None, [])
    assert site.n8n.named("Embed documents") == []


async def test_a_data_ingestion_is_named_and_once_confirmed_stopped(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    deployed = await site.ingest("ORGCRED")
    pending = await delete(site, confirmDeletion=False)
    before = (await site.ingestion(deployed["dataIngestionId"])).status
    done = await delete(site)

    assert before is IngestionStatus.ACTIVE
    assert pending.json()["data"]["pendingDeactivations"] == {
        "count": 1,
        "processes": [
            {
                "processInstanceId": deployed["dataIngestionId"],
                "dataIngestionId": deployed["dataIngestionId"],
                "title": "With credentials (data ingestion 1.0)",
            }
        ],
    }
    assert done.json()["data"]["deactivatedCount"] == 1, done.text
    await assert_ingestion_stopped(site, deployed["dataIngestionId"])
    assert (await site.instance()).is_active
    action = AuditAction.DATA_INGESTION_DEACTIVATED
    assert len(await events(site.world, site.tenant.organization_id, action)) == 1


async def test_a_stopped_data_ingestion_is_had_again_by_connecting_and_deploying(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    await site.ingest("ORGCRED")
    await delete(site)
    await site.connect("openai", OPENAI)
    again = await site.ingest("ORGCRED")

    assert (again["version"], again["status"]) == ("1.1", "active")
    process = await site.process()
    assert process.active_data_ingestion is not None
    assert process.active_data_ingestion.data_ingestion_id == again["dataIngestionId"]
    assert len(site.n8n.named("Embed documents")) == 1


async def test_a_data_ingestion_that_uses_nothing_of_it_goes_on(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    deployed = await site.ingest()
    done = await delete(site)

    assert done.json()["data"]["deactivatedCount"] == 0
    assert (await site.ingestion(deployed["dataIngestionId"])).status is IngestionStatus.ACTIVE


@pytest.mark.parametrize("at", ["integration.unusable", "ingestion.stopped"])
async def test_a_deletion_that_dies_over_a_data_ingestion_is_completed_by_the_next(
    site: Site, tmp_path: Path, at: str
) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    deployed = await site.ingest("ORGCRED")
    with pytest.raises(httpx.TransportError):
        await delete(site, await dying(site, tmp_path, at))
    assert (await delete(site)).json()["success"] is True
    order = {"dataIngestionId": deployed["dataIngestionId"]}
    assert (await site.world.deliver("resumeDataIngestion", order)).status_code == 200

    await assert_ingestion_stopped(site, deployed["dataIngestionId"])
    assert await integration(site) is None


async def test_what_is_deleted_while_its_first_deployment_is_at_work_stops_that(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    site.n8n.asked.clear()
    held = site.n8n.hold("publish")
    deploying = asyncio.create_task(site.deploy("ORGCRED"))
    await until_held(site)
    # Nothing active stands on it yet, so it goes at once.
    deleting = await delete(site)
    held.set()
    deployed = await deploying

    assert deleting.json()["data"]["deactivatedCount"] == 0, deleting.text
    assert deployed["deploymentStatus"] == "deployed"
    await assert_stopped(site)
    assert await integration(site) is None


async def test_what_is_deleted_before_a_deployment_dies_behind_its_commit_is_seen_by_its_watchdog(
    site: Site, tmp_path: Path
) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    gateway = await dying(site, tmp_path, "deploy.recorded")
    site.n8n.asked.clear()
    held = site.n8n.hold("publish")
    normal, site.world.gateway = site.world.gateway, gateway
    deploying = asyncio.create_task(site.deploy("ORGCRED"))
    await until_held(site)
    site.world.gateway = normal
    await delete(site)
    held.set()
    with pytest.raises(httpx.TransportError):
        await deploying
    instance = await site.instance()
    order = {"deploymentInstanceId": instance.current_deployment_instance_id}
    delivered = await site.world.deliver("resumeDeployment", order)

    assert delivered.status_code == 200, delivered.text
    await assert_stopped(site)


async def test_what_is_deleted_while_a_data_ingestion_is_deployed_stops_that(site: Site) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    site.n8n.asked.clear()
    held = site.n8n.hold("publish")
    deploying = asyncio.create_task(site.ingest("ORGCRED"))
    await until_held(site)
    deleting = await delete(site)
    held.set()
    deployed = await deploying

    assert deleting.json()["data"]["deactivatedCount"] == 0
    await assert_ingestion_stopped(site, deployed["dataIngestionId"])


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 0.2, 0.3])
async def test_however_deletion_and_deployment_meet_nothing_runs_without_what_it_uses(
    site: Site, seconds: float
) -> None:
    await site.connect("openai", OPENAI)
    await site.deploy()
    site.n8n.slow_seconds = 0.02

    async def deleted() -> httpx.Response:
        await asyncio.sleep(seconds)
        return await until_taken(site)

    _, gone = await asyncio.gather(site.deploy("ORGCRED"), deleted())
    instance = await site.instance()

    assert gone.json()["success"] is True
    assert await integration(site) is None
    assert not (instance.is_active and instance.integration_uses)
    if instance.is_active:
        # The deployment came too late for it, and failed; what ran before does.
        assert site.used() == []


# --- Members ---

MINE: Any = {"context": "member", "customIntegrationSchema": {**CUSTOM, "id": "cstm_mine"}}


async def connected_by_member(site: Site) -> str:
    return await site.connect("cstm_mine", {"ACME_TOKEN": "t"}, key=site.tenant.keys["member"], **MINE)


async def remove(site: Site, gateway: Gateway | None = None) -> httpx.Response:
    body = {"userId": site.tenant.users["member"]}
    return await (gateway or site.world.gateway).post("/removeMember", site.tenant.keys["owner"], body)


async def of_member(site: Site, uid: str = "cstm_mine") -> Integration | None:
    holder = Holder(ContextType.MEMBER, site.tenant.organization_id, site.tenant.users["member"])
    found = await site.world.platform.store.get(refs.integration(holder, uid))
    return found.value if found else None


async def look_after(site: Site) -> httpx.Response:
    """Deliver the task that was booked with the removal."""
    users = site.tenant.users
    order = ForsakenOrder(
        organization_id=site.tenant.organization_id, user_id=users["member"], ended_by=users["owner"]
    )
    return await site.world.deliver("endIntegrationsOfMember", order.wire())


async def stand_on_it(site: Site) -> None:
    """Have the member's own installation stand on the member's integration."""
    await site.deploy("USERCRED", key="CSTM_MINE", user="member")
    assert (await site.instance()).is_active


async def test_with_a_member_go_their_integrations_and_what_stands_on_them(site: Site) -> None:
    theirs = await connected_by_member(site)
    ours = await site.connect("openai", OPENAI)
    await stand_on_it(site)
    answer = await remove(site)

    assert answer.status_code == 200, answer.text
    assert theirs not in site.n8n.credentials.stored
    assert ours in site.n8n.credentials.stored
    assert await of_member(site) is None
    assert await integration(site) is not None
    await assert_stopped(site)
    deleted = await events(site.world, site.tenant.organization_id, AuditAction.INTEGRATION_DELETED)
    assert [entry.actor_user_id for entry in deleted] == [site.tenant.users["owner"]]
    assert (await look_after(site)).json()["data"]["outcome"] == "0 deleted"


async def test_a_removal_does_not_wait_for_n8n(site: Site) -> None:
    await connected_by_member(site)
    await stand_on_it(site)
    await site.n8n.go_down()
    answer = await remove(site)
    kept = await of_member(site)
    down = await look_after(site)
    await site.n8n.come_up()
    later = await look_after(site)

    assert answer.status_code == 200, answer.text
    assert kept is not None
    assert (kept.has_valid_tokens, kept.forsaken) == (False, True)
    assert down.status_code == 502
    assert later.json()["data"]["outcome"] == "1 deleted"
    assert await of_member(site) is None
    await assert_stopped(site)
    assert [row for row in site.n8n.credentials.stored.values() if "Acme" in row["name"]] == []


@pytest.mark.parametrize("at", ["member.removed", "integration.forsaken", "integration.credential_deleted"])
async def test_what_a_removal_that_died_left_a_task_removes(site: Site, tmp_path: Path, at: str) -> None:
    theirs = await connected_by_member(site)
    await stand_on_it(site)
    with pytest.raises(httpx.TransportError):
        await remove(site, await dying(site, tmp_path, at))
    kept = await of_member(site)
    assert kept is not None
    assert not kept.has_valid_tokens
    assert await site.world.booked("refresh", "forsaken-")
    assert (await look_after(site)).json()["data"]["outcome"] == "1 deleted"

    assert await of_member(site) is None
    assert theirs not in site.n8n.credentials.stored
    await assert_stopped(site)


async def test_who_is_still_a_member_loses_nothing_by_a_task_that_comes_astray(site: Site) -> None:
    theirs = await connected_by_member(site)

    assert (await look_after(site)).json()["data"]["outcome"] == "0 deleted"
    assert theirs in site.n8n.credentials.stored
    kept = await of_member(site)
    assert kept is not None
    assert kept.has_valid_tokens


@pytest.mark.usefixtures("registered")
async def test_the_provider_forgets_who_is_removed(site: Site, authority: Authority) -> None:
    page = await authorize(site.world, authority, "calendly", site.tenant.keys["member"], "member")
    granted = authority.granted[-1]
    answer = await remove(site)

    assert (page.status_code, answer.status_code) == (200, 200)
    assert granted.revoked
    assert await of_member(site, "calendly") is None


@pytest.mark.usefixtures("registered")
async def test_who_was_removed_meanwhile_connects_nothing_any_more(
    site: Site, authority: Authority, person: Person
) -> None:
    begun = await begin(site.world, "calendly", site.tenant.keys["member"], "member")
    back = await person.authorizes(authority, *begun)
    await remove(site)
    page = await person.returns(back)

    assert page.status_code == 404
    assert await of_member(site, "calendly") is None

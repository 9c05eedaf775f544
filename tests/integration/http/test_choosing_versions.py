"""Which version an installation runs: updating, pinning, rolling back one or all (platform §10, §12)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.world.followers import Follower, ended, follow, numbers, published
from tests.integration.world.products import Json, Product, data_of, refusal_of
from tests.integration.world.tenants import Tenant


@pytest.fixture
async def south(product: Product) -> Tenant:
    """An organization that installs what another one publishes, on the same n8n."""
    return await product.world.tenant_on(product.n8n)


@pytest.fixture
async def follower(product: Product, south: Tenant) -> Follower:
    """An installation of version 1.0 there."""
    await published(product, "v1")
    return await follow(product, south, GREETING="Ahoy")


async def refused(follower: Follower, path: str, user: str = "owner", **body: object) -> tuple[int, str]:
    sent = {"processInstanceId": follower.id, **body}
    return refusal_of(await follower.product.post(path, sent, follower.tenant.keys[user]))


async def listed(follower: Follower) -> Json:
    """The installation as its organization's list shows it."""
    answer = await follower.product.world.gateway.get(
        "/listProcessInstancesPublic", follower.tenant.keys["owner"]
    )
    (row,) = [one for one in data_of(answer)["instances"] if one["processInstanceId"] == follower.id]
    return dict(row)


async def test_a_pinned_installation_updates_when_its_user_wants(
    product: Product, follower: Follower
) -> None:
    assert not {"pinned", "updateAvailable", "availableVersion"} & set(await listed(follower))
    pinned = await follower.call("/pinProcessInstancePublic", pinned=True)
    assert pinned == {"processInstanceId": follower.id, "pinned": True, "currentVersion": "1.0"}
    await ended(product, (await published(product, "v2"))["rolloutId"])
    row = await listed(follower)
    assert (row["pinned"], row["updateAvailable"], row["availableVersion"]) == (True, True, "1.1")

    done = await follower.call("/updateProcessInstancePublic")

    assert set(done) == {
        "processInstanceId",
        "deploymentInstanceId",
        "deploymentStatus",
        "version",
        "pinned",
    }
    assert (done["deploymentStatus"], done["version"], done["pinned"]) == ("deployed", "1.1", True)
    assert follower.greets == ["Ahoy", "v2"]
    row = await listed(follower)
    assert (row["currentVersion"], row["pinned"], "updateAvailable" in row) == ("1.1", True, False)


async def test_an_unpinned_installation_follows_from_the_next_publish_on(
    product: Product, follower: Follower
) -> None:
    await follower.call("/pinProcessInstancePublic", pinned=True)
    await ended(product, (await published(product, "v2"))["rolloutId"])

    assert (await follower.call("/pinProcessInstancePublic", pinned=False))["availableVersion"] == "1.1"
    assert follower.greets == ["Ahoy", "v1"]
    rollout = await ended(product, (await published(product, "v3"))["rolloutId"])

    assert numbers(rollout) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v3"]
    assert "updateAvailable" not in await listed(follower)


async def test_rolling_one_back_keeps_it_there(product: Product, follower: Follower) -> None:
    await ended(product, (await published(product, "v2"))["rolloutId"])

    done = await follower.call("/rollbackProcessInstancePublic", version="1.0")

    assert (done["deploymentStatus"], done["version"], done["pinned"]) == ("deployed", "1.0", True)
    assert follower.greets == ["Ahoy", "v1"]
    row = await listed(follower)
    assert (row["currentVersion"], row["availableVersion"]) == ("1.0", "1.1")
    again = await follower.call("/rollbackProcessInstancePublic", version="1.0")
    assert again["deploymentInstanceId"] == done["deploymentInstanceId"]
    rollout = await ended(product, (await published(product, "v3"))["rolloutId"])
    assert numbers(rollout) == {"notified": 1}
    assert follower.greets == ["Ahoy", "v1"]
    assert (await listed(follower))["availableVersion"] == "1.2"


async def test_installers_choose_among_what_was_published(product: Product, follower: Follower) -> None:
    await product.deploy("not published")

    assert await refused(follower, "/updateProcessInstancePublic", version="1.1") == (
        404,
        "VERSION_NOT_FOUND",
    )
    assert await refused(follower, "/updateProcessInstancePublic", version="9.9") == (
        404,
        "VERSION_NOT_FOUND",
    )
    await ended(product, (await published(product, "v2"))["rolloutId"])
    older = await follower.call("/updateProcessInstancePublic", version="1.0")
    assert (older["deploymentStatus"], older["pinned"], follower.greets[1]) == ("deployed", False, "v1")
    assert await refused(follower, "/rollbackProcessInstancePublic", version="1.2") == (400, "NOT_OLDER")
    strange = {"NOTHING": 1}
    unknown = await refused(follower, "/updateProcessInstancePublic", deploymentParameters=strange)
    assert unknown == (400, "INVALID_REQUEST")


async def test_strangers_and_members_it_is_not_shared_with_choose_nothing(follower: Follower) -> None:
    for path, body in (
        ("/pinProcessInstancePublic", {"pinned": True}),
        ("/updateProcessInstancePublic", {}),
        ("/rollbackProcessInstancePublic", {"version": "1.0"}),
    ):
        sent = {"processInstanceId": follower.id, **body}
        publisher = await follower.product.post(path, sent)
        assert refusal_of(publisher) == (403, "FORBIDDEN")
        assert await refused(follower, path, "member", **body) == (403, "FORBIDDEN")


async def test_the_publishers_own_environments_go_to_any_version_and_are_not_pinned(
    product: Product,
) -> None:
    dev = (await product.deploy("v1"))["processInstanceId"]
    await product.deploy("v2")

    back = data_of(
        await product.post("/rollbackProcessInstancePublic", {"processInstanceId": dev, "version": "1.0"})
    )
    assert (back["deploymentStatus"], back["pinned"], product.greets(dev)[1]) == ("deployed", False, "v1")
    newer = data_of(
        await product.post("/updateProcessInstancePublic", {"processInstanceId": dev, "version": "1.1"})
    )
    assert (newer["deploymentStatus"], product.greets(dev)[1]) == ("deployed", "v2")
    pinned = await product.post("/pinProcessInstancePublic", {"processInstanceId": dev, "pinned": True})
    assert refusal_of(pinned) == (409, "OWN_INSTANCE")
    unpublished = await product.post("/updateProcessInstancePublic", {"processInstanceId": dev})
    assert refusal_of(unpublished) == (409, "NOT_PUBLISHED")


async def test_an_update_that_n8n_refuses_is_an_answer_and_changes_nothing(
    product: Product, follower: Follower
) -> None:
    await follower.call("/pinProcessInstancePublic", pinned=True)
    await ended(product, (await published(product, "v2"))["rolloutId"])
    product.n8n.refuse("publish", "not today")

    failed = await follower.call("/updateProcessInstancePublic")

    assert failed["deploymentStatus"] == "failed"
    assert "not today" in failed["error"]
    assert follower.greets == ["Ahoy", "v1"]
    row = await listed(follower)
    assert (row["isActive"], row["currentVersion"], row["availableVersion"]) == (True, "1.0", "1.1")
    assert (await follower.call("/updateProcessInstancePublic"))["deploymentStatus"] == "deployed"


async def test_what_is_archived_or_gone_is_not_updated(product: Product, follower: Follower) -> None:
    await follower.call("/archiveProcessInstance")
    assert await refused(follower, "/updateProcessInstancePublic") == (409, "INSTANCE_ARCHIVED")
    await follower.set(uninstalled_at=product.world.platform.sources.now())
    assert await refused(follower, "/updateProcessInstancePublic") == (409, "INSTANCE_UNINSTALLED")
    assert await refused(follower, "/pinProcessInstancePublic", pinned=True) == (409, "INSTANCE_UNINSTALLED")


async def test_rolling_all_back_publishes_the_older_content_as_a_new_version(
    product: Product, follower: Follower
) -> None:
    second = await published(product, "v2")
    await ended(product, second["rolloutId"])

    back = data_of(
        await product.post("/rollbackProcessPublic", {"projectId": product.project_id, "version": "1.0"})
    )

    assert (back["version"], back["processInstanceId"]) == ("1.2", second["processInstanceId"])
    assert numbers(await ended(product, back["rolloutId"])) == {"deployed": 1}
    assert product.greets(second["processInstanceId"]) == ["Hello", "v1"]
    assert follower.greets == ["Ahoy", "v1"]
    template = await product.template(back["processDeploymentId"])
    assert (template.release_notes, template.status) == ("Rollback to 1.0", "published")
    assert (await product.template(second["processDeploymentId"])).status == "deprecated"
    again = await product.post("/rollbackProcessPublic", {"projectId": product.project_id, "version": "1.0"})
    assert data_of(again)["processDeploymentId"] == back["processDeploymentId"]
    assert (await product.deploy("v4"))["version"] == "1.3"


async def test_what_cannot_be_rolled_back_to_is_refused(product: Product) -> None:
    async def tried(version: str) -> tuple[int, str]:
        body = {"projectId": product.project_id, "version": version}
        return refusal_of(await product.post("/rollbackProcessPublic", body))

    assert await tried("1.0") == (409, "NOT_PUBLISHED")
    await published(product, "v1")
    await product.deploy("v2")
    assert await tried("1.0") == (400, "ALREADY_PUBLISHED")
    assert await tried("1.1") == (400, "NOT_PUBLISHED_BEFORE")
    assert await tried("7.0") == (404, "VERSION_NOT_FOUND")
    member = {"projectId": product.project_id, "version": "1.0"}
    stranger = await product.post("/rollbackProcessPublic", member, product.world.south.keys["owner"])
    assert refusal_of(stranger)[0] == 403


@pytest.mark.parametrize("point", ["rollback.version_recorded", "deploy.booked", "deploy.recorded_pending"])
async def test_a_rollback_of_all_that_died_is_done_once_by_the_next_call(
    product: Product, follower: Follower, tmp_path: Path, point: str
) -> None:
    await ended(product, (await published(product, "v2"))["rolloutId"])
    order = tmp_path / "kill-at"
    order.write_text(point)
    dying = await product.world.another_gateway(
        f"dying-{tmp_path.name}",
        PODIUM_KILL_FILE=str(order),
        DEPLOY_LEASE_SECONDS="2",
        TASKS_BASE_URL=product.world.gateway.base_url,
    )
    body = {"projectId": product.project_id, "version": "1.0"}
    with pytest.raises(httpx.TransportError):
        await dying.post("/rollbackProcessPublic", product.tenant.keys["owner"], body)

    back = data_of(await product.post("/rollbackProcessPublic", body))

    assert back["version"] == "1.2"
    assert numbers(await ended(product, back["rolloutId"])) == {"deployed": 1}
    assert follower.greets == ["Ahoy", "v1"]
    assert (await product.process()).latest_version == "1.2"

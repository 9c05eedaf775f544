"""Searching and showing published processes, and to whom they are shown (platform §12, decision 0017)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.store import refs
from shared.store.store import Delete
from tests.integration.world.integrations import CUSTOM, connected
from tests.integration.world.market import Shop, publish, published, shop
from tests.integration.world.products import Product, data_of, refusal_of
from tests.integration.world.tenants import Tenant


@pytest.fixture
async def buyer(product: Product) -> Tenant:
    """Another organization on the same n8n."""
    return await product.world.tenant_on(product.n8n)


def word() -> str:
    """A word no other test uses."""
    return f"w{uuid.uuid4().hex[:12]}"


async def sees(viewer: Shop, process_id: str, rare: str) -> bool:
    """Whether a viewer finds a process, and is shown it; both must agree."""
    rows = (await viewer.search(q=rare))["processes"]
    shown = await viewer.show(process_id)
    found = process_id in [row["processId"] for row in rows]
    assert (shown.status_code == 200) is found, shown.text
    if not found:
        assert refusal_of(shown) == (404, "PROCESS_NOT_FOUND")
        assert refusal_of(await viewer.install(process_id)) == (404, "PROCESS_NOT_FOUND")
    return found


async def test_a_public_process_is_found_by_other_organizations(product: Product, buyer: Tenant) -> None:
    rare = word()
    process_id = await publish(product, configuration={"subtitle": f"About {rare}", "tags": ["Sales", "CRM"]})

    page = await shop(product.world, buyer, "member").search(q=rare)

    (row,) = page["processes"]
    assert set(row) == {
        "processId",
        "title",
        "subtitle",
        "description",
        "icon",
        "tags",
        "version",
        "processType",
        "organizationName",
        "publishedAt",
    }
    assert (row["processId"], row["version"], row["processType"]) == (process_id, "1.0", "personal")
    assert (row["organizationName"], row["tags"]) == (product.tenant.name, ["Sales", "CRM"])
    assert (page["count"], page["nextCursor"]) == (1, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "{rare}"}, True),
        ({"q": "{RARE}"}, True),
        ({"q": "{beginning}"}, True),
        ({"q": "invoices {rare}"}, True),
        ({"q": "{rare} nonsense"}, False),
        ({"tags": "{rare}-tag"}, True),
        ({"tags": "{rare}-tag,Sales"}, True),
        ({"tags": "{rare}-tag,Other"}, False),
        ({"tags": "{rare}-tag", "q": "invoices"}, True),
        ({"tags": "{rare}-tag", "q": "cats"}, False),
    ],
)
async def test_a_search_finds_what_has_every_word_and_every_tag(
    product: Product, buyer: Tenant, query: dict[str, str], found: bool
) -> None:
    rare = word()
    process_id = await publish(
        product,
        configuration={
            "subtitle": f"On {rare}",
            "description": "Reads invoices",
            "tags": [f"{rare}-tag", "Sales"],
        },
    )
    words = {"rare": rare, "RARE": rare.upper(), "beginning": rare[:8]}

    page = await shop(product.world, buyer).search(**{k: v.format(**words) for k, v in query.items()})

    assert (process_id in [row["processId"] for row in page["processes"]]) is found


async def test_pages_are_the_newest_first_and_miss_nothing(product: Product, buyer: Tenant) -> None:
    rare = word()
    ids = [(await published(product, configuration={"subtitle": rare}))[1] for _ in range(5)]
    viewer, seen, cursor = shop(product.world, buyer), [], None

    while True:
        page = await viewer.search(q=rare, limit=2, **({"cursor": cursor} if cursor else {}))
        assert page["count"] == len(page["processes"]) <= 2
        seen += [row["processId"] for row in page["processes"]]
        if (cursor := page["nextCursor"]) is None:
            break

    assert seen == ids[::-1]


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJhIiwiYiJd", "bnVsbA=="])
async def test_a_cursor_that_is_none_of_ours_is_refused(product: Product, buyer: Tenant, cursor: str) -> None:
    answer = await product.world.gateway.get("/listMarketplacePublic", buyer.keys["owner"], cursor=cursor)

    assert refusal_of(answer) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("visibility", "inside"),
    [
        ("private", {"owner", "admin"}),
        ("organizational", {"owner", "admin", "member", "guest"}),
        ("userList", {"owner", "admin", "guest"}),
        ("teamList", {"owner", "admin", "guest"}),
    ],
)
async def test_what_is_not_public_is_shown_to_whom_it_is_meant_for(
    product: Product, buyer: Tenant, visibility: str, inside: set[str]
) -> None:
    rare, guest = word(), product.tenant.users["guest"]
    team = data_of(await product.post("/createTeam", {"name": rare, "memberIds": [guest]}))["teamId"]
    ids: dict[str, Any] = {
        "userList": {"visibilityUserIds": [guest]},
        "teamList": {"visibilityTeamIds": [team]},
    }.get(visibility, {})

    process_id = await publish(product, visibility=visibility, configuration={"subtitle": rare}, **ids)

    for user in product.tenant.users:
        assert await sees(shop(product.world, product.tenant, user), process_id, rare) is (user in inside), (
            user
        )
    for user in buyer.users:
        assert not await sees(shop(product.world, buyer, user), process_id, rare)


async def test_a_member_sees_their_own_private_process(product: Product) -> None:
    rare = word()
    product.user = "member"
    mine = await product.world.gateway.post(
        "/createProjectViaApiKey", product.tenant.keys["member"], {"name": rare}
    )
    product.project_id = data_of(mine)["projectId"]

    process_id = await publish(product, visibility="private", configuration={"subtitle": rare})

    assert await sees(shop(product.world, product.tenant, "member"), process_id, rare)
    assert not await sees(shop(product.world, product.tenant, "guest"), process_id, rare)


async def test_who_leaves_the_team_sees_the_process_no_more(product: Product) -> None:
    rare, guest = word(), product.tenant.users["guest"]
    team = data_of(await product.post("/createTeam", {"name": rare, "memberIds": [guest]}))["teamId"]
    process_id = await publish(
        product, visibility=None, configuration={"subtitle": rare}, visibilityTeamIds=[team]
    )
    viewer = shop(product.world, product.tenant, "guest")
    assert await sees(viewer, process_id, rare)

    data_of(await product.post("/updateTeam", {"teamId": team, "memberIds": []}))

    assert not await sees(viewer, process_id, rare)


async def test_a_publisher_changes_to_whom_a_process_is_shown(product: Product, buyer: Tenant) -> None:
    rare = word()
    process_id = await publish(product, configuration={"subtitle": rare})
    viewer = shop(product.world, buyer)
    kept = (await viewer.installed(process_id))["processInstanceId"]
    owner, body = shop(product.world, product.tenant), {"projectId": product.project_id}

    narrowed = data_of(await owner.post("setProcessVisibilityPublic", **body, visibility="private"))
    hidden = not await sees(viewer, process_id, rare)
    data_of(await owner.post("setProcessVisibilityPublic", **body, visibility="public"))

    assert narrowed == {
        "processId": process_id,
        "visibility": "private",
        "visibilityTeamIds": [],
        "visibilityUserIds": [],
    }
    assert hidden
    assert await sees(viewer, process_id, rare)
    assert (await product.instance(kept)).is_active


async def test_a_visibility_that_makes_no_sense_changes_nothing(product: Product, buyer: Tenant) -> None:
    owner = shop(product.world, product.tenant)
    body = {"projectId": product.project_id}
    unpublished = await owner.post("setProcessVisibilityPublic", **body, visibility="public")
    await publish(product, visibility="private")

    for wish in (
        {},
        {"visibility": "userList"},
        {"visibilityUserIds": [buyer.users["owner"]]},
        {"visibilityTeamIds": ["nothing"]},
        {"visibility": "public", "visibilityUserIds": [product.tenant.users["guest"]]},
    ):
        answer = await owner.post("setProcessVisibilityPublic", **body, **wish)
        assert refusal_of(answer) == (400, "INVALID_REQUEST"), wish
    stranger = await shop(product.world, buyer).post(
        "setProcessVisibilityPublic", **body, visibility="public"
    )

    assert refusal_of(unpublished) == (409, "NOT_PUBLISHED")
    assert stranger.status_code == 403
    assert (await product.process()).visibility == "private"


async def test_a_process_of_an_archived_project_is_hidden_until_it_is_got_back(
    product: Product, buyer: Tenant
) -> None:
    rare = word()
    process_id = await publish(product, configuration={"subtitle": rare})
    viewer, body = shop(product.world, buyer), {"projectId": product.project_id}

    data_of(await product.post("/archiveProject", body))
    hidden = not await sees(viewer, process_id, rare)
    data_of(await product.post("/unarchiveProject", body))

    assert hidden
    assert await sees(viewer, process_id, rare)


async def test_the_next_publish_changes_what_is_shown(product: Product, buyer: Tenant) -> None:
    first, second = word(), word()
    process_id = await publish(product, configuration={"subtitle": first})

    await publish(product, "v2", configuration={"subtitle": second, "releaseNotes": "Better"})

    viewer = shop(product.world, buyer)
    assert await viewer.titles(q=first) == []
    offer = data_of(await viewer.show(process_id))
    assert (offer["version"], offer["releaseNotes"], offer["subtitle"]) == ("1.1", "Better", second)


async def test_a_process_is_shown_with_all_that_is_needed_to_install_it(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(
        product,
        configuration={
            "processDeploymentMarkdown": "# How to",
            "integrationUids": ["openai", "cstm_acme"],
            "customIntegrations": [CUSTOM],
        },
    )
    owner = shop(product.world, buyer)

    offer = data_of(await owner.show(process_id))

    assert set(offer) == {
        "processId",
        "title",
        "subtitle",
        "description",
        "icon",
        "tags",
        "version",
        "processType",
        "organizationName",
        "publishedAt",
        "markdown",
        "releaseNotes",
        "workflows",
        "deploymentInputSchema",
        "integrations",
        "installed",
        "processInstanceId",
    }
    assert offer["markdown"] == "# How to"
    assert [field["key"] for field in offer["deploymentInputSchema"]] == ["GREETING", "COUNT", "DAYS"]
    assert {flow["workflowId"] for flow in offer["workflows"]} == {"leaf-b", "beta"}
    assert (offer["installed"], offer["processInstanceId"]) == (False, None)
    states = {
        one["integrationId"]: (one["connected"], one["hasValidTokens"]) for one in offer["integrations"]
    }
    assert states == {"openai": (False, False), "cstm_acme": (False, False)}


async def test_searching_and_showing_cost_three_round_trips(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product, configuration={"integrationUids": ["openai"]})
    gateway, key = product.world.gateway, buyer.keys["owner"]

    found = await gateway.get("/listMarketplacePublic", key, q=product.title)
    shown = await gateway.get(f"/getMarketplaceProcessPublic/{process_id}", key)

    assert data_of(found)["count"] == 1
    for answer in (found, shown):
        assert gateway.line_of(answer)["firestore"]["roundTrips"] <= 3


async def test_an_installer_connects_what_a_process_brings_by_what_it_shows(
    product: Product, buyer: Tenant
) -> None:
    process_id = await publish(
        product, configuration={"integrationUids": ["cstm_acme"], "customIntegrations": [CUSTOM]}
    )
    owner = shop(product.world, buyer)
    lacking = await owner.installed(process_id)
    (needed,) = data_of(await owner.show(process_id))["integrations"]

    await connected(
        product.world,
        "cstm_acme",
        {"ACME_TOKEN": "t"},
        key=owner.key,
        metadata={"ACME_HEADER": "X-Acme"},
        customIntegrationSchema=needed["customIntegrationSchema"],
    )
    (afterwards,) = data_of(await owner.show(process_id))["integrations"]
    body = {"processInstanceId": lacking["processInstanceId"]}
    again = data_of(await owner.post("redeployDeploymentInstancePublic", **body))

    assert (lacking["deploymentStatus"], lacking["inactiveReason"]) == ("failed", "missing_integration")
    assert "cstm_acme" in lacking["error"]
    assert (afterwards["connected"], afterwards["hasValidTokens"]) == (True, True)
    assert again["deploymentStatus"] == "deployed"
    assert product.greets(lacking["processInstanceId"]) == ["Hello", "v1"]


async def test_what_has_no_listing_is_not_found(product: Product) -> None:
    process_id = await publish(product)
    await product.world.platform.store.commit(Delete(refs.listing(process_id)))

    answer = await shop(product.world, product.tenant).show(process_id)

    assert refusal_of(answer) == (404, "PROCESS_NOT_FOUND")


async def test_installations_are_shared_by_their_owner(product: Product, buyer: Tenant) -> None:
    process_id = await publish(product, configuration={"processType": "organizational"})
    owner, member = shop(product.world, buyer), shop(product.world, buyer, "member")
    instance_id = (await owner.installed(process_id))["processInstanceId"]
    body = {"processInstanceId": instance_id}
    trigger = f"/webhook/{instance_id}/beta"
    before = (await product.world.gateway.post(trigger, member.key)).status_code

    shared = data_of(
        await owner.post(
            "shareProcessInstancePublic",
            **body,
            sharedWith="users",
            sharedWithUserIds=[buyer.users["member"]],
        )
    )
    after = (await product.world.gateway.post(trigger, member.key)).status_code
    listed = data_of(await product.world.gateway.get("/listProcessInstancesPublic", member.key))
    forbidden = await member.post("shareProcessInstancePublic", **body, sharedWith="everyone")
    data_of(await owner.post("shareProcessInstancePublic", **body, sharedWith="admins"))

    assert (before, after) == (403, 200)
    assert shared == {**body, "sharedWith": "users", "sharedWithUserIds": [buyer.users["member"]]}
    assert [row["processInstanceId"] for row in listed["instances"]] == [instance_id]
    assert forbidden.status_code == 403
    assert (await product.world.gateway.post(trigger, member.key)).status_code == 403
    empty = data_of(await product.world.gateway.get("/listProcessInstancesPublic", member.key))
    assert empty["instances"] == []


async def test_a_personal_installation_is_shared_with_nobody(product: Product, buyer: Tenant) -> None:
    owner = shop(product.world, buyer)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]

    answer = await owner.post(
        "shareProcessInstancePublic", processInstanceId=instance_id, sharedWith="everyone"
    )

    assert refusal_of(answer) == (400, "INVALID_REQUEST")
    assert (await product.instance(instance_id)).shared_with == "owner_only"

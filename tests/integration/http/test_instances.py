"""Listing and showing installations (api §5.18, §5.19)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.configuration import Configuration
from shared.model.deployment import DeploymentStatus
from shared.model.instance import Environment, InactiveReason, SharedWith
from shared.model.outline import outline_of
from shared.store import refs
from shared.store.store import Create, Patch
from tests.integration.world.ensembles import FORM, INPUT, Ensemble, configuration, install_ensemble
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

ROW = {
    "processInstanceId",
    "processId",
    "title",
    "environment",
    "isActive",
    "archived",
    "currentVersion",
    "installedAt",
    "lastExecutedAt",
}
DETAILS = (ROW - {"inactiveReason"}) | {"organizationId", "deployment"}


@pytest.fixture
async def tenant(world: World) -> Tenant:
    """An organization without installations."""
    return await world.tenant_on(world.n8n)


async def answer_of(world: World, key: str, **query: Any) -> httpx.Response:
    return await world.gateway.get("/listProcessInstancesPublic", key, **query)


async def listed(world: World, key: str, **query: Any) -> list[dict[str, Any]]:
    answer = await answer_of(world, key, **query)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert set(data) == {"instances", "count", "organizationId"}
    assert data["count"] == len(data["instances"])
    return list(data["instances"])


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["processInstanceId"] for row in rows]


async def show(world: World, ensemble: Ensemble, **body: Any) -> dict[str, Any]:
    named = {"processInstanceId": ensemble.id, **body}
    key = ensemble.installed.tenant.keys["owner"]
    answer = await world.gateway.post("/getProcessInstancePublic", key, named)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


async def test_an_active_installation_is_listed_with_exactly_the_contracts_fields(
    world: World, tenant: Tenant
) -> None:
    ensemble = await install_ensemble(world, tenant)

    (row,) = await listed(world, tenant.keys["owner"])

    instance = await ensemble.instance()
    assert set(row) == ROW
    assert row["installedAt"] == instance.installed_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    assert row["lastExecutedAt"] is None
    assert {name: row[name] for name in ROW - {"installedAt", "lastExecutedAt"}} == {
        "processInstanceId": ensemble.id,
        "processId": ensemble.process_id,
        "title": "Test",
        "environment": "dev",
        "isActive": True,
        "archived": False,
        "currentVersion": "1.0",
    }


@pytest.mark.parametrize("reason", list(InactiveReason))
async def test_an_inactive_installation_says_why(
    world: World, tenant: Tenant, reason: InactiveReason
) -> None:
    ensemble = await install_ensemble(world, tenant, active=False)
    await ensemble.change(inactive_reason=reason)

    (row,) = await listed(world, tenant.keys["owner"])

    assert set(row) == {*ROW, "inactiveReason"}
    assert (row["isActive"], row["inactiveReason"]) == (False, reason.value)


async def test_the_newest_installation_comes_first_and_limits_are_kept_exactly(
    world: World, tenant: Tenant
) -> None:
    now = world.platform.sources.now()
    ensembles = [await world.install(tenant) for _ in range(4)]
    for age, installed in enumerate(ensembles):
        moment = {"installed_at": now - timedelta(days=age)}
        await world.platform.store.commit(Patch(refs.instance(installed.id), moment))
    newest_first = [installed.id for installed in ensembles]

    key = tenant.keys["owner"]

    assert ids(await listed(world, key)) == newest_first
    assert ids(await listed(world, key, limit=3)) == newest_first[:3]
    assert ids(await listed(world, key, limit=100000)) == newest_first


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
async def test_a_limit_that_is_no_number_of_rows_is_a_bad_request(
    world: World, tenant: Tenant, limit: str
) -> None:
    answer = await answer_of(world, tenant.keys["owner"], limit=limit)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


async def test_fifty_are_listed_unless_more_are_asked_for_and_never_more_than_a_hundred(
    world: World, tenant: Tenant
) -> None:
    model = await world.install(tenant)
    found = await world.platform.store.get(refs.instance(model.id))
    assert found is not None
    copies = [Create(refs.instance(world.platform.sources.uuid7()), found.value) for _ in range(104)]
    await world.platform.store.commit(*copies)

    key = tenant.keys["owner"]

    assert len(await listed(world, key)) == 50
    assert len(await listed(world, key, limit=101)) == 100


async def test_filters_combine_and_archived_is_either_or(world: World, tenant: Tenant) -> None:
    made: dict[tuple[Environment, bool], str] = {}
    for environment in Environment:
        for archived in (False, True):
            ensemble = await install_ensemble(world, tenant, environment=environment, active=not archived)
            await ensemble.change(archived=archived)
            made[environment, archived] = ensemble.id
    dev, prod = Environment.DEV, Environment.PROD
    key = tenant.keys["owner"]

    assert set(ids(await listed(world, key))) == {made[dev, False], made[prod, False]}
    assert set(ids(await listed(world, key, archived="true"))) == {made[dev, True], made[prod, True]}
    assert ids(await listed(world, key, environment="prod")) == [made[prod, False]]
    assert ids(await listed(world, key, environment="dev", archived="true")) == [made[dev, True]]
    assert await listed(world, key, environment="staging") == []


async def test_members_see_their_own_and_what_is_shared_with_them(world: World, tenant: Tenant) -> None:
    own = await world.install(tenant, owner="member")
    everyones = await world.install(tenant, shared_with=SharedWith.EVERYONE)
    theirs = await world.install(tenant, shared_with=SharedWith.USERS, shared_users=("member",))
    others = await world.install(tenant, shared_with=SharedWith.USERS, shared_users=("guest",))
    admins = await world.install(tenant, shared_with=SharedWith.ADMINS)
    private = await world.install(tenant)
    every = {one.id for one in (own, everyones, theirs, others, admins, private)}

    for manager in ("owner", "admin"):
        assert set(ids(await listed(world, tenant.keys[manager]))) == every
    assert set(ids(await listed(world, tenant.keys["member"]))) == {own.id, everyones.id, theirs.id}
    assert set(ids(await listed(world, tenant.keys["guest"]))) == {everyones.id, others.id}
    assert set(ids(await listed(world, tenant.keys["member"], environment="dev", limit=2))) < every


async def test_an_organization_sees_nothing_of_another(world: World, tenant: Tenant) -> None:
    installed = await world.install(tenant)

    assert installed.id not in ids(await listed(world, world.south.keys["owner"], limit=100))
    other = await answer_of(world, tenant.keys["owner"], organizationId=world.south.organization_id)
    assert (other.status_code, other.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_a_key_of_no_organization_names_one(world: World, tenant: Tenant) -> None:
    installed = await world.install(tenant)
    administrator = await tenant.key(kind=KeyKind.ADMIN)
    personal = await tenant.key("member", kind=KeyKind.PERSONAL)

    unnamed = await answer_of(world, administrator)

    assert (unnamed.status_code, unnamed.json()["error"]["code"]) == (400, "ORGANIZATION_ID_REQUIRED")
    named = tenant.organization_id
    assert ids(await listed(world, administrator, organizationId=named)) == [installed.id]
    assert await listed(world, personal, organizationId=named) == []


async def test_a_list_costs_a_read_of_the_key_and_a_query(world: World, tenant: Tenant) -> None:
    await world.install(tenant)
    answer = await answer_of(world, tenant.keys["member"])

    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 2


async def test_an_installation_is_shown_with_exactly_the_contracts_fields(world: World) -> None:
    ensemble = await install_ensemble(world)

    data = await show(world, ensemble)

    assert set(data) == DETAILS
    assert data["organizationId"] == world.north.organization_id
    assert (data["processId"], data["environment"], data["lastExecutedAt"]) == (
        ensemble.process_id,
        "dev",
        None,
    )
    deployment = data["deployment"]
    assert set(deployment) == {
        "deploymentInstanceId",
        "deploymentStatus",
        "deploymentParameters",
        "deploymentInputSchema",
        "workflows",
    }
    assert (deployment["deploymentInstanceId"], deployment["deploymentStatus"]) == (
        ensemble.deployment_id,
        "deployed",
    )
    assert deployment["deploymentParameters"] == {"CITY": "Bern"}
    (field,) = deployment["deploymentInputSchema"]
    assert field | FORM[0] == field
    assert [set(entry) for entry in deployment["workflows"]] == [
        {"workflowId", "n8nWorkflowId", "workflowName"}
    ] * 4
    assert deployment["workflows"][0] == {
        "workflowId": "main",
        "n8nWorkflowId": ensemble.n8n_id("main"),
        "workflowName": "Main",
    }


async def test_the_details_of_workflows_name_triggers_but_neither_urls_nor_tokens(world: World) -> None:
    ensemble = await install_ensemble(world)

    entries = (await show(world, ensemble, includeWorkflowDetails=True))["deployment"]["workflows"]

    assert [set(entry) for entry in entries] == [
        {
            "workflowId",
            "n8nWorkflowId",
            "workflowName",
            "n8nWorkflowIsActive",
            "triggers",
            "cost",
            "integrationUids",
        }
    ] * 4
    main, nightly, price, tax = entries
    assert (main["n8nWorkflowIsActive"], main["cost"], nightly["cost"]) == (True, 2.5, 0)
    assert tax["integrationUids"] == ["slack"]
    (http,) = main["triggers"]
    assert (set(http), http["method"]) == ({"type", "method", "inputSchema"}, "POST")
    assert http["inputSchema"][0] | INPUT[0] == http["inputSchema"][0]
    assert nightly["triggers"] == [
        {"type": "schedule", "cronExpression": "0 3 * * *", "timezone": "Europe/Zurich"}
    ]
    assert set(price["triggers"][0]) == {"type", "inputSchema"}
    assert tax["triggers"] == [{"type": "service_event", "service": "slack", "eventType": "message"}]
    assert "secret-path" not in str(entries)
    assert "a-legacy-token" not in str(entries)


async def test_an_outline_kept_with_the_deployment_shows_the_same_in_fewer_reads(
    world: World,
) -> None:
    ensemble = await install_ensemble(world)
    before = await show(world, ensemble, includeWorkflowDetails=True)
    outline = outline_of(Configuration.model_validate(configuration())).kept()
    await ensemble.change_deployment(outline=outline)

    key, body = world.north.keys["owner"], {"processInstanceId": ensemble.id, "includeWorkflowDetails": True}
    answer = await world.gateway.post("/getProcessInstancePublic", key, body)

    assert answer.json()["data"] == before
    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 3


async def test_a_paused_installation_shows_its_workflows_as_inactive(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)

    data = await show(world, ensemble, includeWorkflowDetails=True)

    assert data["isActive"] is False
    assert {entry["n8nWorkflowIsActive"] for entry in data["deployment"]["workflows"]} == {False}


async def test_a_first_deployment_at_work_shows_the_workflows_it_will_have(world: World) -> None:
    ensemble = await install_ensemble(world, active=False)
    await ensemble.change_deployment(deployment_status=DeploymentStatus.DEPLOYING, workflows=[])

    deployment = (await show(world, ensemble, includeWorkflowDetails=True))["deployment"]

    assert deployment["deploymentStatus"] == "deploying"
    assert [entry["workflowId"] for entry in deployment["workflows"]] == ["main", "nightly", "price", "tax"]
    assert {entry["n8nWorkflowId"] for entry in deployment["workflows"]} == {None}


async def test_an_installation_without_deployment_shows_none(world: World) -> None:
    installed = await world.install()

    key, body = installed.tenant.keys["owner"], {"processInstanceId": installed.id}
    data = (await world.gateway.post("/getProcessInstancePublic", key, body)).json()["data"]

    assert set(data) == DETAILS
    assert data["deployment"] is None


async def test_parameters_that_the_version_does_not_declare_are_not_shown(world: World) -> None:
    ensemble = await install_ensemble(world)
    await ensemble.change(deployment_parameters={"CITY": "Chur", "OLD": 1})

    assert (await show(world, ensemble))["deployment"]["deploymentParameters"] == {"CITY": "Chur"}


async def test_what_is_not_the_callers_is_refused_and_what_does_not_exist_not_found(world: World) -> None:
    ensemble = await install_ensemble(world)
    unknown = world.platform.sources.uuid7()

    async def refusal(key: str, instance: str) -> tuple[int, str, str]:
        answer = await world.gateway.post("/getProcessInstancePublic", key, {"processInstanceId": instance})
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]

    for key in (world.south.keys["owner"], world.north.keys["member"]):
        status, code, message = await refusal(key, ensemble.id)
        assert (status, code) == (403, "FORBIDDEN")
        assert "access to this process instance" in message
    status, code, message = await refusal(world.north.keys["owner"], unknown)
    assert (status, code) == (404, "INSTANCE_NOT_FOUND")
    assert "not found" in message

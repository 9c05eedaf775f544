"""No secret reaches a log, an answer, or a disk in clear."""

from __future__ import annotations

import pytest

from shared.model.apikey import KeyKind
from shared.services.runs.secret import PURPOSE, mint
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import API_KEY, breaks_off, fails, forbidden, reporting, started
from tests.integration.world.world import World


@pytest.fixture
async def secrets(world: World, gateway: Gateway, installed: Installation) -> dict[str, str]:
    """Every kind of secret, after each was used in good ways and in bad ones."""
    known = {
        "instance key": installed.key,
        "organization key": world.north.keys["owner"],
        "administrator key": await world.north.key(kind=KeyKind.ADMIN),
        "member secret": await world.north.member_secret("owner"),
        "webhook secret": world.north.webhook_secret,
        "n8n's key": API_KEY,
        "task token": world.task_token(),
    }
    for behaviour in (reporting(resultData=1), fails, forbidden, breaks_off, started):
        installed.behave(behaviour)
        await _run(world, installed, known["organization key"])
    known["execution secret"] = installed.calls[0].metadata["executionSecret"]
    for secret in known.values():
        await misuse(gateway, installed, secret)
    return known


async def _run(world: World, installed: Installation, key: str) -> None:
    execution_id = await world.gateway.trigger(installed.path, key)
    await eventually(lambda: world.gateway.lines_about(execution_id, "dispatchExecution"))
    look = {"processInstanceId": installed.id, "executionId": execution_id}
    await world.deliver("superviseExecution", look)


async def misuse(gateway: Gateway, installed: Installation, secret: str) -> None:
    """Present a secret wherever one may be presented, and where none belongs."""
    organization = installed.tenant.organization_id
    report = {"organizationId": organization, "report": {"workflow": {"id": "x"}}}
    await gateway.http.post("/captureWorkflowError", json=report, headers={"X-Codika-Webhook-Auth": secret})
    await gateway.http.post("/verifyApiKey", params={"api_key": secret}, headers={"X-API-Key": secret})
    await gateway.http.get(f"/status/{installed.id}/x", params={"wait": secret, "api_key": secret})
    await gateway.callback("submitWorkflowResult", {"executionId": "x", "executionSecret": secret})
    await gateway.callback("submitWorkflowError", {"executionId": 5, "executionSecret": [secret]})
    begin = dict.fromkeys(("memberSecret", "userId", "workflowId", "triggerType"), secret)
    await gateway.callback(
        "createWorkflowExecution", {**begin, "organizationId": "x", "processInstanceId": "x"}
    )
    await gateway.http.post("/dispatchExecution", json={}, headers={"Authorization": f"Bearer {secret}"})


async def test_no_secret_is_logged(gateway: Gateway, secrets: dict[str, str]) -> None:
    log = gateway.log.read_text() + gateway.log.with_name("gateway.err").read_text()

    assert [name for name, secret in secrets.items() if secret in log] == []


async def test_no_secret_is_on_disk_in_clear(world: World, secrets: dict[str, str]) -> None:
    files = [file for file in world.servers.folder.iterdir() if file.is_file() and file.suffix != ".log"]
    contents = b"".join(file.read_bytes() for file in files)

    assert any(file.name.startswith("firestore.sqlite") for file in files)
    assert [name for name, secret in secrets.items() if secret.encode() in contents] == []


async def test_a_wrong_secret_is_not_repeated_to_its_caller(
    gateway: Gateway, installed: Installation
) -> None:
    wrong = "a-secret-of-somebody-else-0123456789"
    answers = [
        await gateway.callback("submitWorkflowResult", {"executionId": "x", "executionSecret": wrong}),
        await gateway.callback("submitWorkflowResult", {"executionId": "x", "executionSecret": [wrong]}),
        await gateway.callback("createWorkflowExecution", {"memberSecret": {"a": wrong}}),
        await gateway.post(f"/webhook/{installed.path}", wrong),
        await gateway.http.post("/verifyApiKey", headers={"X-API-Key": f"cko_{wrong:x<64}"}),
        await gateway.http.post("/superviseExecution", headers={"Authorization": f"Bearer {wrong}"}),
    ]

    assert [answer.status_code for answer in answers] == [401, 400, 400, 401, 401, 401]
    assert not any(wrong in answer.text for answer in answers)


async def test_the_secret_of_a_run_is_worth_nothing_for_the_same_run_id_elsewhere(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    """The secret names its installation: it cannot complete a document at another path."""
    other = await world.install(world.south)
    execution_id = await other.record_run()
    key = await world.platform.vault.mac_key(PURPOSE)
    foreign = mint(key, installed.tenant.organization_id, installed.id, execution_id)

    answer = await gateway.callback(
        "submitWorkflowResult", {"executionId": execution_id, "executionSecret": foreign, "resultData": 1}
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")
    assert (await other.run(execution_id)).status == "pending"

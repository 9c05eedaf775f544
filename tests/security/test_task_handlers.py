"""Task handlers have public addresses: only the queue's own token opens them (design: run)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.tasks.identity import Identity
from infra.local.tasks.times import SECOND, wall_clock
from shared.http.declaration import Endpoint
from shared.model.apikey import KeyKind
from shared.model.execution import DispatchState
from tests.integration.world.endpoints import TASKS, Admitted, failure, name_of
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World


@pytest.fixture(scope="module")
def forged(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """``Authorization`` headers that look right and are not, by what is wrong with them."""
    account = world.platform.settings.tasks_service_account
    audience = world.gateway.base_url
    good = world.task_token()
    head, payload, signature = good.split(".")
    key_file = world.servers.folder / "tasks-identity.pem"
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    stranger = rsa.generate_private_key(65537, 2048)
    tokens = {
        "another service account": world.task_token(account="somebody@else.example"),
        "another audience": world.servers.identity().token(account, "https://elsewhere.example"),
        "expired": Identity.load(key_file, lambda: wall_clock() - 7200 * SECOND).token(account, audience),
        "another key": _new_identity(tmp_path_factory.mktemp("identity")).token(account, audience),
        "another key under the same id": jwt.encode(claims, stranger, "RS256", {"kid": kid}),
        "no signature": f"{head}.{payload}.",
        "no algorithm": f"{_part({'alg': 'none', 'kid': kid})}.{payload}.",
        "a symmetric algorithm": jwt.encode(claims, "x" * 64, "HS256", {"kid": kid}),
        "changed claims": f"{head}.{_part({**claims, 'exp': claims['exp'] + 1})}.{signature}",
        "an unverified e-mail": jwt.encode(
            {**claims, "email_verified": False}, stranger, "RS256", {"kid": kid}
        ),
        "no key id": jwt.encode(claims, stranger, "RS256"),
        "nothing like a token": "token",
        "too much": "a" * 10_000,
    }
    headers = {what: f"Bearer {token}" for what, token in tokens.items()}
    return {**headers, "no scheme": good, "another scheme": f"Basic {good}", "an empty token": "Bearer"}


@pytest.mark.parametrize("endpoint", TASKS, ids=name_of)
async def test_a_call_without_the_queues_token_is_refused_before_anything_is_read(
    admitted: Admitted, gateway: Gateway, forged: dict[str, str], endpoint: Endpoint
) -> None:
    for what, header in {"no header": "", **forged}.items():
        headers = {"Authorization": header} if header else {}
        answer = await gateway.http.post(f"/{endpoint.name}", json={}, headers=headers)

        assert failure(endpoint, answer)[:2] == (401, "UNAUTHORIZED"), what
        assert gateway.line_of(answer)["firestore"]["roundTrips"] == 0, what


async def test_a_forged_look_at_a_run_does_not_fail_it(
    gateway: Gateway, installed: Installation, forged: dict[str, str]
) -> None:
    execution_id = await installed.record_run(dispatch=DispatchState.SENDING)
    order = {"processInstanceId": installed.id, "executionId": execution_id}
    for header in forged.values():
        await gateway.http.post("/superviseExecution", json=order, headers={"Authorization": header})

    assert (await installed.run(execution_id)).status == "pending"


@pytest.mark.parametrize("endpoint", TASKS, ids=name_of)
async def test_an_administrators_key_is_no_token(
    admitted: Admitted, gateway: Gateway, endpoint: Endpoint
) -> None:
    key = await admitted.world.north.key(kind=KeyKind.ADMIN)
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = await gateway.http.post(f"/{endpoint.name}", json={}, headers=headers)

        assert answer.status_code == 401


@pytest.mark.parametrize("endpoint", TASKS, ids=name_of)
async def test_the_queues_token_opens_them(admitted: Admitted, endpoint: Endpoint) -> None:
    answer = await admitted.call(endpoint, json={})

    assert failure(endpoint, answer)[:2] == (400, "INVALID_REQUEST")


def _new_identity(folder: Path) -> Identity:
    return Identity.load(folder / "key.pem", wall_clock)


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

"""Whether the process lives, and whether it reaches what it needs."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.integration.world.gateway import Gateway
from tests.integration.world.world import World
from tests.support.ports import free_port


@pytest.mark.parametrize("path", ["/healthz", "/health", "/readyz", "/ready", "/HEALTHZ"])
async def test_a_running_platform_is_well_and_ready(gateway: Gateway, path: str) -> None:
    answer = await gateway.http.get(path)

    assert (answer.status_code, answer.json()["data"]) == (200, {"status": "ok"})
    assert "ratelimit" not in answer.headers
    assert (await gateway.http.head(path)).status_code == 200


async def test_being_alive_costs_nothing(gateway: Gateway) -> None:
    answer = await gateway.http.get("/healthz")

    assert set(gateway.line_of(answer)["firestore"].values()) == {0}


async def test_many_who_ask_at_once_cost_one_look(gateway: Gateway) -> None:
    await asyncio.sleep(1.1)
    answers = await asyncio.gather(*(gateway.http.get("/readyz") for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    reads = sum(gateway.line_of(answer)["firestore"]["reads"] for answer in answers)
    assert reads <= 2


@pytest.mark.parametrize(
    ("variable", "part"),
    [
        ("FIRESTORE_EMULATOR_HOST", "firestore"),
        ("TASKS_ENDPOINT", "taskQueue"),
        ("SECRETS_ENDPOINT", "secretManager"),
    ],
)
async def test_what_is_out_of_reach_is_named_soon_and_nothing_else_is_said(
    world: World, variable: str, part: str
) -> None:
    port = free_port()
    cut_off = await world.another_gateway(f"without-{part}", **{variable: f"127.0.0.1:{port}"})

    started = time.perf_counter()
    answer = await cut_off.http.get("/readyz")

    assert time.perf_counter() - started < 4
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "NOT_READY")
    assert answer.json()["error"]["details"] == {"unreachable": [part]}
    assert str(port) not in answer.text
    assert (await cut_off.http.get("/healthz")).status_code == 200

"""One secret of every kind goes through the platform; then everything it wrote is searched for them.

What may hold one, by design: the answer that hands a key to its owner, n8n's own store of credentials, the
workflows in n8n (a member's secret, which its runs register with, and parameters), and the mail to its
receiver. Parameters and payloads are the tenant's data like any other and kept in clear.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.world.installations import Installation, install
from tests.integration.world.n8n import started
from tests.integration.world.world import World
from tests.security.canaries import Answers, Journey, contents, travel
from tests.security.test_integration_secrets import CANARIES, answers
from tests.security.test_secrets_stay_secret import misuse

__all__ = ["answers"]

HANDED_OUT = {
    "organization key": {"cliCompleteSignup"},
    "instance key": {"revealInstanceKey"},
    "minted key": {"createOrganizationApiKeyPublic"},
    "minted webhook secret": {"createWebhookSecretPublic"},
}
IN_WORKFLOWS = {"member secret", "parameter"}


@pytest.fixture(scope="module")
async def heard(world: World) -> AsyncIterator[Answers]:
    heard = Answers()
    hooks = world.gateway.http.event_hooks
    world.gateway.http.event_hooks = {**hooks, "response": [*hooks["response"], heard.hear]}
    yield heard
    world.gateway.http.event_hooks = hooks


@pytest.fixture(scope="module")
async def journey(world: World, heard: Answers, answers: list[httpx.Response]) -> Journey:
    """Everything that was secret, used well and badly."""
    travelled = await travel(world)
    travelled.secrets |= {f"integration: {name}": canary for name, canary in CANARIES.items()}
    installed: Installation = await install(world.platform, world.south, world.n8n)
    installed.behave(started)
    for secret in travelled.secrets.values():
        await misuse(world.gateway, installed, secret)
    return travelled


async def test_no_file_of_the_store_or_the_queues_holds_one(world: World, journey: Journey) -> None:
    stored = contents(world.servers.folder, "firestore.sqlite")
    queued = contents(world.servers.folder, "tasks", "secrets")

    assert journey.title.encode() in stored
    assert b"/dispatchexecution" in queued.lower()
    assert [kind for kind, secret in journey.secrets.items() if secret.encode() in queued] == ["payload"]
    assert [kind for kind, s in journey.secrets.items() if s.encode() in stored] == ["parameter", "payload"]


async def test_no_log_of_any_process_holds_one(world: World, journey: Journey) -> None:
    logs = contents(world.servers.folder, ".log", ".err")

    assert b"cliCompleteSignup" in logs
    assert [kind for kind, secret in journey.secrets.items() if secret.encode() in logs] == []


async def test_no_answer_holds_one_but_the_one_that_hands_it_out(heard: Answers, journey: Journey) -> None:
    found = {kind: heard.repeating(secret) for kind, secret in journey.secrets.items()}

    assert len(heard.heard) > 200
    assert {kind: where for kind, where in found.items() if where} == HANDED_OUT


async def test_no_workflow_in_n8n_holds_one_but_what_its_nodes_need(journey: Journey) -> None:
    found = {kind for kind, secret in journey.secrets.items() if secret in journey.workflows}

    assert found == IN_WORKFLOWS


async def test_the_codes_of_one_time_passwords_are_nowhere(
    world: World, heard: Answers, journey: Journey
) -> None:
    """Six digits may stand in any number: all codes together would not."""
    places = [
        contents(world.servers.folder, "firestore.sqlite", "tasks", "secrets", ".log", ".err"),
        " ".join(text for _, text in heard.heard).encode(),
        journey.workflows.encode(),
    ]

    assert len(journey.codes) == 3
    assert [all(code.encode() in place for code in journey.codes) for place in places] == [False] * 3


async def test_every_kind_of_secret_made_the_journey(journey: Journey) -> None:
    assert len(journey.secrets) == 18 + len(CANARIES)
    assert min(map(len, journey.secrets.values())) >= 20

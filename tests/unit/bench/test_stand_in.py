"""The stand-in for n8n keeps to what is known of n8n, and fails as it is told to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, web
from aiohttp.test_utils import TestServer

from bench.standin.faults import Fault, Faults
from bench.standin.latency import TABLE, Latencies, measured
from bench.standin.server import API_KEY, StandIn

HEADERS = {"X-N8N-API-KEY": API_KEY}
KINDS = (
    "save",
    "publish",
    "live",
    "probe",
    "read",
    "version",
    "list",
    "check",
    "create",
    "unpublish",
    "delete",
)


def hook(path: str) -> dict[str, Any]:
    parameters = {"httpMethod": "HEAD", "path": path}
    return {"name": "Hook", "type": "n8n-nodes-base.webhook", "parameters": parameters}


def calling(workflow_id: str) -> dict[str, Any]:
    parameters = {"workflowId": {"value": workflow_id}}
    return {"name": "Call", "type": "n8n-nodes-base.executeWorkflow", "parameters": parameters}


def body(*nodes: dict[str, Any], name: str = "One") -> dict[str, Any]:
    return {"name": name, "nodes": list(nodes), "connections": {}, "settings": {"timezone": "UTC"}}


class Client:
    """Calls of n8n's API: status and answer."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def call(self, method: str, path: str, content: object = None) -> tuple[int, Any]:
        url = f"{self.url}/api/v1{path}"
        async with self.http.request(method, url, json=content, headers=HEADERS) as answer:
            return answer.status, await answer.json()

    async def create(self, content: object) -> str:
        status, made = await self.call("POST", "/workflows", content)
        assert status == 200
        return str(made["id"])

    async def methods(self, path: str) -> str | None:
        async with self.http.options(f"{self.url}/webhook/{path}") as answer:
            return answer.headers.get("Access-Control-Allow-Methods")

    async def until(self, path: str, methods: str | None) -> None:
        while await self.methods(path) != methods:
            pass


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn(Latencies({kind: [0.0, 5.0] for kind in KINDS}, random.Random(1)))


@pytest.fixture
async def n8n(stand_in: StandIn) -> AsyncIterator[Client]:
    app = web.Application()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stand_in.answer(request)

    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, ClientSession() as http:
        yield Client(http, str(server.make_url("")).rstrip("/"))


async def test_a_draft_is_not_live_and_a_published_one_is_a_little_later(n8n: Client) -> None:
    workflow_id = await n8n.create(body(hook("a/live/1")))
    assert await n8n.methods("a/live/1") is None

    status, told = await n8n.call("POST", f"/workflows/{workflow_id}/publish", {})

    assert (status, told["activeVersionId"]) == (200, told["versionId"])
    await n8n.until("a/live/1", "OPTIONS, HEAD")


async def test_saving_leaves_what_runs_until_it_is_published(n8n: Client) -> None:
    workflow_id = await n8n.create(body(hook("a/live/1")))
    await n8n.call("POST", f"/workflows/{workflow_id}/publish", {})
    await n8n.until("a/live/1", "OPTIONS, HEAD")

    _, saved = await n8n.call("PUT", f"/workflows/{workflow_id}", body(hook("a/live/2"), name="Two"))
    assert (saved["name"], saved["activeVersionId"] != saved["versionId"]) == ("Two", True)
    assert await n8n.methods("a/live/1") == "OPTIONS, HEAD"

    await n8n.call("POST", f"/workflows/{workflow_id}/publish", {"versionId": saved["versionId"]})
    await n8n.until("a/live/2", "OPTIONS, HEAD")
    assert await n8n.methods("a/live/1") is None


async def test_an_unchanged_draft_keeps_its_version(n8n: Client) -> None:
    workflow_id = await n8n.create(body(hook("a")))
    _, before = await n8n.call("GET", f"/workflows/{workflow_id}")

    _, after = await n8n.call("PUT", f"/workflows/{workflow_id}", body(hook("a")))

    assert after["versionId"] == before["versionId"]


@pytest.mark.parametrize(
    ("nodes", "status"), [((hook("taken"),), 409), ((calling("nobody"),), 400)], ids=["conflict", "missing"]
)
async def test_what_n8n_would_not_publish_is_refused(
    n8n: Client, nodes: tuple[dict[str, Any], ...], status: int
) -> None:
    other = await n8n.create(body(hook("taken")))
    await n8n.call("POST", f"/workflows/{other}/publish", {})
    await n8n.until("taken", "OPTIONS, HEAD")
    workflow_id = await n8n.create(body(*nodes))

    answer, _ = await n8n.call("POST", f"/workflows/{workflow_id}/publish", {})

    assert answer == status


async def test_a_published_workflow_is_not_deleted(n8n: Client) -> None:
    workflow_id = await n8n.create(body(hook("a")))
    await n8n.call("POST", f"/workflows/{workflow_id}/publish", {})

    refused, _ = await n8n.call("DELETE", f"/workflows/{workflow_id}")
    await n8n.call("POST", f"/workflows/{workflow_id}/unpublish", {})
    deleted, _ = await n8n.call("DELETE", f"/workflows/{workflow_id}")
    gone, _ = await n8n.call("GET", f"/workflows/{workflow_id}")

    assert (refused, deleted, gone) == (409, 200, 404)


async def test_copies_run_under_ids_and_addresses_of_their_own(n8n: Client, stand_in: StandIn) -> None:
    child = await n8n.create(body(hook("org-a/child")))
    parent = await n8n.create(body(hook("org-a/parent"), calling(child)))

    asked = {"ids": [child, parent], "texts": [{"org-a": "org-b"}]}
    async with n8n.http.post(f"{n8n.url}/stand-in/copy", json=asked) as answer:
        (made,) = await answer.json()

    assert await n8n.methods("org-b/parent") == "OPTIONS, HEAD"
    _, copied = await n8n.call("GET", f"/workflows/{made[parent][0]}")
    assert copied["nodes"][1]["parameters"]["workflowId"]["value"] == made[child][0]
    assert len(stand_in.workflows.known) == 4


async def test_a_call_that_is_cut_after_commit_was_done(n8n: Client, stand_in: StandIn) -> None:
    workflow_id = await n8n.create(body(hook("a")))
    cut = next(
        seed
        for seed in range(1000)
        if Faults(0.5, seed).of("publish", "One") is Fault.CUT_AFTER
        and Faults(0.5, seed).of("read", "One") is None
    )
    stand_in.faults = Faults(0.5, cut)

    with pytest.raises(ServerDisconnectedError):
        await n8n.call("POST", f"/workflows/{workflow_id}/publish", {})

    _, found = await n8n.call("GET", f"/workflows/{workflow_id}")
    assert found["activeVersionId"] == found["versionId"]


def test_which_call_fails_is_told_by_the_seed_alone() -> None:
    calls = [("publish", f"workflow {number % 7}") for number in range(400)]

    def drawn(seed: int) -> list[Fault | None]:
        faults = Faults(0.05, seed)
        return [faults.of(*call) for call in calls]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 5 <= sum(fault is not None for fault in drawn(1)) <= 40


def test_every_kind_of_failure_comes_and_only_publications_are_refused() -> None:
    faults = Faults(1.0, 3)
    seen = Counter((kind, faults.of(kind, "one")) for kind in ("save", "publish") for _ in range(2000))

    assert {fault for kind, fault in seen if kind == "publish"} == set(Fault)
    assert {fault for kind, fault in seen if kind == "save"} == set(Fault) - {Fault.REFUSED}


def test_latencies_are_drawn_from_what_was_measured() -> None:
    assert TABLE.exists()
    calm, busy = measured(1, 1), measured(10, 1)

    drawn = [calm.of("save") * 1000 for _ in range(500)]

    low, high = calm.quantiles["save"][0], calm.quantiles["save"][-1]
    assert low <= min(drawn) <= max(drawn) <= high
    assert sorted(drawn)[250] == pytest.approx(calm.quantiles["save"][20], rel=0.2)
    assert busy.quantiles["save"][20] > calm.quantiles["save"][20]
    assert all(kind in busy.quantiles for kind in KINDS)

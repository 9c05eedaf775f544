"""``python -m bench latencies``: how late a real n8n answers while versions are brought into it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from bench.api import Json, create_project, deploy
from bench.figures import Section, median, quantile, rounded
from bench.load import each, timed
from bench.rollout.bare import Bare, Ensemble, changed, opened
from bench.session import Session
from bench.standin.latency import TABLE
from infra.local.n8n.versions import N8N
from shared.n8n.liveness import is_registered, marker
from tests.chaos.ensemble import Ensemble as UseCase

AT_ONCE = (1, 5, 10, 20)
_COPIES, _UPDATES, _STEPS = 24, 96, 40
_NAMES = ("leaf-a", "leaf-b", "alpha")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_ORIGIN = (
    "n8n {n8n} with SQLite on this machine, taken by bench.standin.measure on {day}: bare updates of "
    "three workflows (save all, publish both sub-workflows, publish the parent, probe until live), so many "
    "of them under way at a time. Quantiles 0 to 100 % in equal steps, by kind, in milliseconds; "
    "'live' is the time from the answer to a publish until its live marker is registered."
)


@dataclass(slots=True)
class _Taken:
    """Seconds of each kind of call, and milliseconds of whole updates."""

    calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    updates: list[float] = field(default_factory=list)
    seconds: float = 0

    def observe(self, kind: str, seconds: float) -> None:
        """Note a call."""
        self.calls[kind].append(seconds)


async def measure(session: Session) -> Section:
    """Measure, write the table that the stand-in draws from, and return its medians."""
    project_id = await create_project(session, "Latencies")
    data = await deploy(session, project_id, UseCase("Latencies", "1.0", _NAMES).configuration())
    taken = {at_once: _Taken() for at_once in AT_ONCE}
    bare = opened(session.n8n_url, session.n8n_headers["X-N8N-API-KEY"])
    try:
        copies = await _copies(bare, data)
        for at_once, figures in taken.items():
            bare.observe = figures.observe
            await _updates(bare, copies, at_once, figures)
            await each(copies, at_once, lambda copy: _others(bare, copy))
        await bare.remove([i for copy in copies for level in reversed(copy.levels) for i in level])
    finally:
        await bare.http.aclose()
    _write(taken, session)
    return _section(taken)


async def _copies(bare: Bare, data: Json) -> list[Ensemble]:
    rows = data["workflowsDeployed"]
    assert isinstance(rows, list)
    ids = {str(row["workflowTemplateId"]): str(row["n8nWorkflowId"]) for row in rows}
    bodies = {name: await bare.read(ids[name]) for name in _NAMES}

    async def one(_: int) -> Ensemble:
        texts = {str(data["processInstanceId"]): uuid.uuid4().hex}
        for name in _NAMES:
            content = orjson.dumps(bodies[name]).decode()
            for old, new in texts.items():
                content = content.replace(old, new)
            texts[ids[name]] = await bare.create(orjson.loads(content))
            await bare.publish(texts[ids[name]])
        made = [texts[ids[name]] for name in _NAMES]
        return Ensemble((tuple(made[:2]), (made[2],)), {i: await bare.read(i) for i in made})

    return await each(range(_COPIES), 4, one)


async def _updates(bare: Bare, copies: list[Ensemble], at_once: int, taken: _Taken) -> None:
    """Do what :meth:`Bare.update` does, noting when every marker was seen."""

    async def one(copy: Ensemble) -> None:
        milliseconds, _ = await timed(_update(bare, copy, taken))
        taken.updates.append(milliseconds)

    count = _COPIES if at_once == 1 else _UPDATES
    began = time.perf_counter()
    await each([copies[number % _COPIES] for number in range(count)], at_once, one)
    taken.seconds = time.perf_counter() - began


async def _update(bare: Bare, copy: Ensemble, taken: _Taken) -> None:
    bodies = {i: changed(body, uuid.uuid4().hex[:8]) for i, body in copy.bodies.items()}
    await asyncio.gather(*(bare.save(i, body) for i, (body, _) in bodies.items()))
    asked: dict[str, float] = {}

    async def publish(n8n_id: str) -> None:
        await bare.publish(n8n_id)
        asked[n8n_id] = time.perf_counter()

    for level in copy.levels:
        await asyncio.gather(*(publish(n8n_id) for n8n_id in level))

    async def seen(n8n_id: str, path: str) -> None:
        before, pause = asked[n8n_id], _FIRST_PAUSE
        while True:
            began = time.perf_counter()
            live = await is_registered(bare.http, bare.url, marker(path))
            taken.calls["probe"].append(time.perf_counter() - began)
            if live:
                # It happened between the last probe that did not see it and this one.
                taken.calls["live"].append((before + began) / 2 - asked[n8n_id])
                return
            before = began
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, _LONGEST_PAUSE)

    await asyncio.gather(*(seen(i, path) for i, (_, path) in bodies.items()))


async def _others(bare: Bare, copy: Ensemble) -> None:
    """Call what only restoring and removing need."""
    ((n8n_id, *_), *_) = copy.levels
    await bare.call("check", "GET", "/workflows?limit=1")
    found = await bare.call("read", "GET", f"/workflows/{n8n_id}?excludePinnedData=true")
    await bare.call("version", "GET", f"/workflows/{n8n_id}/versions/{found['versionId']}")
    await bare.call("list", "GET", "/workflows?name=Alpha&limit=250&excludePinnedData=true")
    body = await bare.read(n8n_id)
    made = await bare.create({**body, "nodes": [node for node in _nodes(body) if "webhookId" not in node]})
    await bare.publish(made)
    await bare.call("unpublish", "POST", f"/workflows/{made}/unpublish", {})
    await asyncio.sleep(2)
    await bare.call("delete", "DELETE", f"/workflows/{made}")


def _nodes(body: Json) -> list[Json]:
    nodes = body["nodes"]
    assert isinstance(nodes, list)
    return nodes


def _write(taken: Mapping[int, _Taken], session: Session) -> None:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    table = {
        "origin": _ORIGIN.format(n8n=N8N, day=day),
        "updatesPerSecond": {str(n): rounded(len(t.updates) / t.seconds, 2) for n, t in taken.items()},
        "updateMedianMilliseconds": {str(n): rounded(median(t.updates)) for n, t in taken.items()},
        "milliseconds": {str(n): _quantiles(t.calls) for n, t in taken.items()},
    }
    TABLE.write_bytes(orjson.dumps(table, option=orjson.OPT_INDENT_2))


def _quantiles(calls: Mapping[str, list[float]]) -> dict[str, list[float]]:
    steps = [step / _STEPS for step in range(_STEPS + 1)]
    found = {kind: [rounded(quantile(v, q) * 1000) for q in steps] for kind, v in calls.items()}
    return {**found, "executions": found["list"], "other": found["read"]}


def _section(taken: Mapping[int, _Taken]) -> Section:
    kinds = ("save", "publish", "live", "probe")
    rows = tuple(
        (
            at_once,
            rounded(len(figures.updates) / figures.seconds, 2),
            rounded(median(figures.updates)),
            *(rounded(median(figures.calls[kind]) * 1000) for kind in kinds),
        )
        for at_once, figures in taken.items()
    )
    return Section(
        name="latencies",
        title="What one n8n bears",
        how="Bare updates of three workflows on a real n8n, so many under way at a time. Medians.",
        columns=("updates at once", "updates/s", "update, ms", *(f"{kind}, ms" for kind in kinds)),
        rows=rows,
        targets=(),
    )

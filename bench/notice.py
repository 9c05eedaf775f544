"""How soon it is known that a run ended: by ``?wait``, by an event, and by asking every three seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import aiohttp

from bench.api import CallFailed, Json, call
from bench.figures import Section, Target, quantile, rounded
from bench.installed import Installed, install
from bench.session import Session, connections
from shared.store import refs
from tests.integration.world.receivers import Receiver, receiving

POLL_SECONDS = 3.0
_APART = 0.4
_LONGEST = 60.0
_HOW = (
    "{runs} runs of a real n8n, one begun every {apart} s. Each is awaited in three ways at once: by "
    "`GET /status/…?wait=30`, by the event `execution.completed` that a receiver on this machine gets, and "
    "by asking for the status every {every:.0f} s from the moment it was accepted. Milliseconds from the "
    "moment the platform took the workflow's callback (`completedAt`) to the moment it is known; one clock, "
    "for all is on one machine."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """When one run was known to have ended, in ms after its callback."""

    waited: float
    told: float
    polled: float


async def measure(session: Session) -> Section:
    """Return how soon the end of a run is known in each of the three ways."""
    installed = await install(session)
    count = max(10, session.size.runs // 2)
    async with receiving() as receiver, connections(0) as http:
        made = await _subscribe(session, receiver.url)
        await _notice(installed, http, receiver)
        tasks: list[asyncio.Task[Notice]] = []
        for _ in range(count):
            tasks.append(asyncio.create_task(_notice(installed, http, receiver)))
            await asyncio.sleep(_APART)
        notices = await asyncio.gather(*tasks)
        await call(session, "POST", "/deleteEventSubscription", session.owner_key, {"subscriptionId": made})
    return _section(notices)


async def _subscribe(session: Session, url: str) -> str:
    body = {"url": url, "types": ["execution.completed"]}
    made = await call(session, "POST", "/createEventSubscription", session.owner_key, body)
    return str(cast("Json", made["data"])["subscriptionId"])


async def _notice(installed: Installed, http: aiohttp.ClientSession, receiver: Receiver) -> Notice:
    execution_id = await installed.trigger(http)
    waited, told, polled = await asyncio.gather(
        _waited(installed, execution_id), _told(receiver, execution_id), _polled(installed, execution_id)
    )
    reference = refs.execution(installed.instance_id, execution_id)
    found = await installed.session.platform.store.get(reference)
    if found is None or found.value.completed_at is None:
        raise CallFailed(f"run {execution_id} has not ended")
    landed = found.value.completed_at.timestamp()
    return Notice(*((moment - landed) * 1000 for moment in (waited, told, polled)))


async def _waited(installed: Installed, execution_id: str) -> float:
    await installed.ended(execution_id)
    return time.time()


async def _told(receiver: Receiver, execution_id: str) -> float:
    async with asyncio.timeout(_LONGEST):
        while True:
            for message in receiver.messages:
                if message.content["data"]["executionId"] == execution_id:
                    return message.at
            await asyncio.sleep(0.01)


async def _polled(installed: Installed, execution_id: str) -> float:
    session = installed.session
    path = f"/status/{installed.instance_id}/{execution_id}"
    async with asyncio.timeout(_LONGEST):
        while True:
            answer = await call(session, "GET", path, session.owner_key)
            if cast("Json", answer["execution"])["status"] != "pending":
                return time.time()
            await asyncio.sleep(POLL_SECONDS)


def _section(notices: list[Notice]) -> Section:
    by = {
        "`?wait`": [one.waited for one in notices],
        "event": [one.told for one in notices],
        "asking every 3 s": [one.polled for one in notices],
    }
    rows = tuple(
        (what, rounded(quantile(values, 0.5)), rounded(quantile(values, 0.95))) for what, values in by.items()
    )
    return Section(
        name="notice",
        title="How soon the end of a run is known",
        how=_HOW.format(runs=len(notices), apart=_APART, every=POLL_SECONDS),
        columns=("ms after the callback", "p50", "p95"),
        rows=rows,
        targets=(
            Target("known through ?wait, p50, ms", rounded(quantile(by["`?wait`"], 0.5)), 50),
            Target("event delivered, p95, ms", rounded(quantile(by["event"], 0.95)), 500),
        ),
    )

"""What one call of every endpoint costs: Firestore operations and latency through a real gateway."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import CallFailed
from bench.endpoints.calls import CALLS, RESTORE, SLOW, UNMEASURED
from bench.endpoints.counts import Counts, counts_of
from bench.endpoints.desk import Asked, Desk
from bench.figures import Cell, Section, Target, quantile, rounded
from bench.log_lines import position
from functions import load_all
from shared.http.access import Keyed
from shared.http.declaration import REGISTRY, Endpoint
from shared.vault.apikeys import KeyPrefix, mint

WARM_UP = 2
_READING_ROUND_TRIPS = 3
_HOW = (
    "{calls} calls of each endpoint one after the other ({slow} of those that deploy or provision), after "
    "{warm_up} that do not count; what a call changes or removes is made before the clock starts. Firestore "
    "operations are those of the request's log line, the key included; the dearest call counts. Latency is "
    "what the caller sees, n8n's part included; a deployed version changes the listing, not its workflow. A "
    "call that takes a key of the right form that nobody has costs one round trip, a key that cannot be one "
    "of ours none."
)


def keyed() -> tuple[Endpoint, ...]:
    """Return the endpoints that a key can call.

    Raises:
        CallFailed: there is no call for one of them, and no reason why not.
    """
    load_all()
    found = tuple(endpoint for endpoint in REGISTRY.all() if isinstance(endpoint.access, Keyed))
    missing = unknown(endpoint.name for endpoint in found)
    if missing:
        raise CallFailed(f"bench/endpoints/calls.py has no call for {', '.join(missing)}")
    return tuple(endpoint for endpoint in found if endpoint.name not in UNMEASURED)


def unknown(names: Iterable[str]) -> list[str]:
    """Return the endpoints that are neither called nor declared as not measured."""
    return [name for name in names if name not in CALLS and name not in UNMEASURED]


async def measure(desk: Desk) -> Section:
    """Return the cost of every endpoint."""
    rows = await _rows(desk)
    refused = [
        await _refused(desk, "malformed key", "cko_too-short"),
        await _refused(desk, "unknown key", mint(KeyPrefix.ORGANIZATION)),
    ]
    return Section(
        name="endpoints",
        title="Cost of every endpoint",
        how=_HOW.format(calls=desk.session.size.endpoint_calls, slow=_slow_calls(desk), warm_up=WARM_UP),
        columns=("endpoint", "round trips", "reads", "writes", "queries", "p50, ms", "p95, ms"),
        rows=(*rows, *refused),
        targets=_targets(rows, refused),
    )


def _targets(rows: list[tuple[Cell, ...]], refused: list[tuple[Cell, ...]]) -> tuple[Target, ...]:
    reading = [int(row[1]) for row in rows if str(row[0]).startswith(("get", "list"))]
    return (
        Target("round trips of the dearest endpoint that reads", max(reading), _READING_ROUND_TRIPS),
        Target("reads with a malformed key", int(refused[0][2]), 0),
        Target("round trips with an unknown key", int(refused[1][1]), 1),
    )


async def _rows(desk: Desk) -> list[tuple[Cell, ...]]:
    rows, failed = [], []
    for endpoint in keyed():
        try:
            rows.append(await _row(desk, endpoint))
        except CallFailed as error:
            failed.append(str(error))
        if endpoint.name in RESTORE:
            await RESTORE[endpoint.name](desk)
    if failed:
        raise CallFailed("; ".join(failed))
    return rows


async def _row(desk: Desk, endpoint: Endpoint) -> tuple[Cell, ...]:
    took: list[float] = []
    counted: list[Counts] = []
    for number in range(_calls(desk, endpoint) + WARM_UP):
        asked = await CALLS[endpoint.name](desk)
        start = position(desk.session)
        answered = await desk.send(endpoint.method, endpoint.name, asked)
        if answered.status != 200:
            raise CallFailed(f"{endpoint.name}: {answered.status} {answered.content[:300]!r}")
        if number >= WARM_UP:
            took.append(answered.milliseconds)
            counted.append(await counts_of(desk.session, answered, start))
    return _cells(endpoint.name, counted, took)


async def _refused(desk: Desk, what: str, key: str) -> tuple[Cell, ...]:
    took: list[float] = []
    counted: list[Counts] = []
    for _ in range(desk.session.size.endpoint_calls):
        start = position(desk.session)
        answered = await desk.send("GET", "listProjectsPublic", Asked(key=key))
        if answered.status != 401:
            raise CallFailed(f"{what}: {answered.status}")
        took.append(answered.milliseconds)
        counted.append(await counts_of(desk.session, answered, start))
    return _cells(f"({what})", counted, took)


def _cells(name: str, counted: list[Counts], took: list[float]) -> tuple[Cell, ...]:
    return (
        name,
        max(c.round_trips for c in counted),
        max(c.reads for c in counted),
        max(c.writes for c in counted),
        max(c.queries for c in counted),
        rounded(quantile(took, 0.5)),
        rounded(quantile(took, 0.95)),
    )


def _calls(desk: Desk, endpoint: Endpoint) -> int:
    return _slow_calls(desk) if endpoint.name in SLOW else desk.session.size.endpoint_calls


def _slow_calls(desk: Desk) -> int:
    return max(3, desk.session.size.endpoint_calls // 8)

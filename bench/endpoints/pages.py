"""What a page of a list costs, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.api import CallFailed
from bench.endpoints.counts import Counts, counts_of
from bench.endpoints.desk import Asked, Desk
from bench.endpoints.tenants import NOTE, WORKFLOW, Tenant, tenant
from bench.figures import Cell, Section, Target, quantile, rounded
from bench.log_lines import position

FEW = 100
_BOUND = 1.2
_HOW = (
    "Organizations with {lengths} documents behind every list (written directly: projects, installations, "
    "runs of one installation, audit entries, versions of one note, ended keys). {calls} calls of each page "
    "at each length, in turns, one at a time; half of everything belongs to the member. Reads are documents "
    "of one page, the key included."
)


@dataclass(frozen=True, slots=True)
class _List:
    """One kind of page: the endpoint, and what it is asked."""

    name: str
    method: str
    endpoint: str
    asked: Callable[[Tenant], Asked]


def _owner(query: Mapping[str, str] | None = None) -> Callable[[Tenant], Asked]:
    return lambda at: Asked(query=query or {}, key=at.owner_key)


def _member() -> Callable[[Tenant], Asked]:
    # Half of a hundred is less than a page.
    return lambda at: Asked(query={"limit": "20"}, key=at.member_key)


def _runs(query: Mapping[str, str] | None = None) -> Callable[[Tenant], Asked]:
    return lambda at: Asked(query=query or {}, params=(at.instance_id,), key=at.owner_key)


def _notes(**body: object) -> Callable[[Tenant], Asked]:
    return lambda at: Asked({"projectId": at.project_id, **body}, key=at.owner_key)


_PROJECTS, _INSTANCES = "listProjectsPublic", "listProcessInstancesPublic"
_RUNS, _EVENTS, _NOTES = "listExecutionsPublic", "listAuditEvents", "getProjectNotes"

LISTS = (
    _List("projects", "GET", _PROJECTS, _owner()),
    _List("projects, a member's", "GET", _PROJECTS, _member()),
    _List("installations", "GET", _INSTANCES, _owner()),
    _List("installations, dev", "GET", _INSTANCES, _owner({"environment": "dev"})),
    _List("installations, a member's", "GET", _INSTANCES, _member()),
    _List("runs", "GET", _RUNS, _runs()),
    _List("runs of a workflow", "GET", _RUNS, _runs({"workflowId": WORKFLOW, "limit": "2"})),
    _List("failed runs", "GET", _RUNS, _runs({"status": "failed", "limit": "2"})),
    _List("audit entries", "GET", _EVENTS, _owner()),
    _List("audit entries, one action", "GET", _EVENTS, _owner({"action": "project.created", "limit": "20"})),
    _List("API keys", "GET", "listOrganizationApiKeys", _owner()),
    _List("current notes", "POST", _NOTES, _notes()),
    _List("the current note of a type", "POST", _NOTES, _notes(documentTypeId=NOTE)),
    _List("a version of a note", "POST", _NOTES, _notes(documentTypeId=NOTE, version="0.0.42")),
)
"""Every list that grows with use. Members, teams and integrations are as many as an organization has seats,
teams and services."""


@dataclass(slots=True)
class _Measured:
    took: list[float] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)


async def measure(desk: Desk) -> Section:
    """Return what pages cost at each length."""
    lengths = (FEW, *desk.session.size.list_lengths)
    tenants = [await tenant(desk.session, length) for length in lengths]
    rows: list[tuple[Cell, ...]] = []
    worst: list[float] = []
    more_reads = 0
    for kind in LISTS:
        measured = await _in_turns(desk, kind, tenants)
        medians = [quantile(m.took, 0.5) for m in measured]
        reads = [max(c.reads for c in m.counts) for m in measured]
        ratio = max(medians) / medians[0]
        worst.append(ratio)
        more_reads = max(more_reads, max(reads) - reads[0])
        rows.append((kind.name, *(rounded(value) for value in medians), *reads, rounded(ratio, 2)))
    return _section(desk, lengths, rows, max(worst), more_reads)


async def _in_turns(desk: Desk, kind: _List, tenants: Sequence[Tenant]) -> list[_Measured]:
    measured = [_Measured() for _ in tenants]
    for number in range(desk.session.size.page_calls + 2):
        for at, seen in zip(tenants, measured, strict=True):
            start = position(desk.session)
            answered = await desk.send(kind.method, kind.endpoint, kind.asked(at))
            if answered.status != 200:
                raise CallFailed(f"{kind.name}: {answered.status} {answered.content[:300]!r}")
            if number < 2:
                continue
            seen.took.append(answered.milliseconds)
            if number == 2:
                seen.counts.append(await counts_of(desk.session, answered, start))
    return measured


def _section(
    desk: Desk, lengths: Sequence[int], rows: list[tuple[Cell, ...]], worst: float, more_reads: int
) -> Section:
    return Section(
        name="pages",
        title="Pages of long lists",
        how=_HOW.format(
            lengths=", ".join(f"{length:,}" for length in lengths), calls=desk.session.size.page_calls
        ),
        columns=(
            "a page of",
            *(f"p50 at {length:,}, ms" for length in lengths),
            *(f"reads at {length:,}" for length in lengths),
            f"slowest / at {FEW}",
        ),
        rows=tuple(rows),
        targets=(
            Target(f"the page that grows most, time at any length / at {FEW}", rounded(worst, 2), _BOUND),
            Target("documents a page of a long list reads more than one of a short list", more_reads, 0),
        ),
    )

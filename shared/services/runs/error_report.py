"""What n8n's error workflow reports, before it is known which run it is about (nodes §8)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.errors import UpstreamError
from shared.model.deployment import LastReport, N8nWorkflowOwner
from shared.n8n.executions import N8nExecution
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.store.refs import Ref
from shared.store.store import Patch, Write

SAME_REPORT = timedelta(minutes=1)
"""For this long a report that names no execution and says the same is the same report, sent again."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What the error workflow sent: the error trigger's item, as n8n gives it."""

    organization_id: str
    n8n_workflow_id: str
    n8n_execution_id: str | None
    raw: Mapping[str, object]


async def n8n_execution_of(platform: Platform, backend_id: str, report: ErrorReport) -> N8nExecution | None:
    """Return n8n's record of the execution a report is about, data included, if n8n has it."""
    if report.n8n_execution_id is None:
        return None
    try:
        client = await n8n_client(platform, backend_id)
        full = await client.get_execution(report.n8n_execution_id)
    except UpstreamError:
        # The report itself still says what failed; only the link to the run is looser without n8n.
        return None
    # Other tenants' runs are in the same n8n.
    return full if full.workflow_id == report.n8n_workflow_id else None


def repeated(owner: N8nWorkflowOwner, report: ErrorReport, now: datetime) -> LastReport | None:
    """Return what was made of the same report a moment ago, if it names no execution of n8n's.

    Nothing else tells it from a second failure of the same kind, which would fail the next run.
    """
    last = owner.last_report
    if last is None or report.n8n_execution_id or now - last.at > SAME_REPORT:
        return None
    return last if last.digest == _digest(report) else None


def remembered(
    owner: Ref[N8nWorkflowOwner], report: ErrorReport, execution_id: str, *, matched: bool, now: datetime
) -> list[Write]:
    """Return what goes into the commit of a report, so that :func:`repeated` recognises it."""
    if report.n8n_execution_id:
        return []
    last = LastReport(digest=_digest(report), execution_id=execution_id, matched=matched, at=now)
    return [Patch(owner, {"last_report": last})]


def _digest(report: ErrorReport) -> str:
    return hashlib.sha256(orjson.dumps(report.raw, option=orjson.OPT_SORT_KEYS)).hexdigest()


def derived_id(owner: N8nWorkflowOwner, what: str) -> str:
    """Return the id of the run that a failure without one becomes; a repeated report gives the same."""
    seed = f"{owner.organization_id}/{owner.process_instance_id}/{what}"
    h = hashlib.sha256(seed.encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-7{h[12:15]}-8{h[15:18]}-{h[18:30]}"

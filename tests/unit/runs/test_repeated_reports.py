"""A report without an execution is the same report for a minute, and another failure afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.model.deployment import LastReport, N8nWorkflowOwner
from shared.services.runs.error_report import SAME_REPORT, ErrorReport, remembered, repeated
from shared.store import refs
from shared.store.store import Patch

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPORT = ErrorReport("org", "wf", None, {"execution": {"error": {"message": "Boom"}}})
NAMED = ErrorReport("org", "wf", "77", REPORT.raw)


def owner(last: LastReport | None) -> N8nWorkflowOwner:
    return N8nWorkflowOwner(
        organization_id="org",
        process_instance_id="instance",
        process_id="process",
        deployment_instance_id="deployment",
        workflow_id="main",
        trigger_type="http",
        last_report=last,
    )


def last_of(report: ErrorReport) -> LastReport:
    (write,) = remembered(refs.n8n_workflow("org", "wf"), report, "run", matched=True, now=NOW)
    assert isinstance(write, Patch)
    last = write.fields["last_report"]
    assert isinstance(last, LastReport)
    return last


@pytest.mark.parametrize(
    ("report", "later", "again"),
    [
        (REPORT, timedelta(), True),
        (REPORT, SAME_REPORT, True),
        (REPORT, SAME_REPORT + timedelta(microseconds=1), False),
        (ErrorReport("org", "wf", None, {"execution": {"error": {"message": "Bang"}}}), timedelta(), False),
        (NAMED, timedelta(), False),
    ],
)
def test_what_is_the_same_report(report: ErrorReport, later: timedelta, again: bool) -> None:
    found = repeated(owner(last_of(REPORT)), report, NOW + later)

    assert (found is not None) is again


def test_a_report_that_names_its_execution_is_known_by_that() -> None:
    assert remembered(refs.n8n_workflow("org", "wf"), NAMED, "run", matched=True, now=NOW) == []
    assert repeated(owner(None), REPORT, NOW) is None

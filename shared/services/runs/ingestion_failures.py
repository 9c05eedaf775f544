"""Failures of the workflows that embed documents: they belong to no run (nodes §8, step 7)."""

from __future__ import annotations

from contextlib import suppress

from shared.executions.classification import classify_execution, classify_report
from shared.model.ingestion import DataIngestion, EmbeddingFailure
from shared.model.organization import Organization
from shared.services.platform import Platform
from shared.services.runs.error_report import ErrorReport, n8n_execution_of
from shared.store.errors import Changed
from shared.store.query import find, owned_by
from shared.store.store import Patch


async def note_ingestion_failure(platform: Platform, organization: Organization, report: ErrorReport) -> None:
    """Note on a data ingestion that its workflow failed, and on which document; a repeat changes nothing."""
    mine = owned_by("dataIngestions", DataIngestion, "organization_id", report.organization_id)
    query = mine.where("n8n_workflow_id", "==", report.n8n_workflow_id).at_most(1)
    for found in await find(platform.store, query):
        before = found.value.last_failure
        repeated = before is not None and before.n8n_execution_id == report.n8n_execution_id
        if repeated and report.n8n_execution_id is not None:
            return
        full = await n8n_execution_of(platform, organization.backend_id, report)
        details = classify_execution(full.document) if full else classify_report(report.raw)
        failure = EmbeddingFailure(
            doc_id=full.custom_data.get("codikaDocId") if full else None,
            message=details.message,
            code=details.code or "",
            n8n_execution_id=report.n8n_execution_id,
            at=platform.sources.now(),
            count=before.count + 1 if before else 1,
        )
        # Whoever changes it meanwhile deploys it, or notes a failure of its own.
        with suppress(Changed):
            await platform.store.commit(
                Patch(found.ref, {"last_failure": failure.fields()}, found.update_time)
            )

"""Deploying process-level data ingestions (api §5.12)."""

from __future__ import annotations

from pydantic import JsonValue

from shared.errors import DEPLOY_ERRORS
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.ingestion.deploy import DeployedIngestion, deploy_ingestion
from shared.services.ingestion.plan import Submission
from shared.versions import StrategyWord


class DeployIngestionRequest(Document):
    """The body of ``deployDataIngestion``. ``process_id`` names a project or a process."""

    process_id: str
    config: JsonValue = None
    version_strategy: StrategyWord = "minor_bump"
    explicit_version: JsonValue = None


@endpoint(
    "POST",
    "deployDataIngestion",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.INGESTION,
    request=DeployIngestionRequest,
    response=DeployedIngestion,
    errors=DEPLOY_ERRORS,
    memory_mebibytes=512,
    concurrency=20,
)
async def deploy_data_ingestion(call: Call[DeployIngestionRequest]) -> DeployedIngestion:
    """Deploy the workflow that embeds a process's documents, live in n8n."""
    body = call.body
    sent = Submission(
        target_id=body.process_id,
        config=body.config,
        strategy=body.version_strategy,
        explicit_version=body.explicit_version,
    )
    deployed = await deploy_ingestion(call.platform, call.caller, sent)
    call.notes["dataIngestionId"] = deployed.data_ingestion_id
    return deployed

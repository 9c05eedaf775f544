"""Deploying use cases (api §5.8)."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from shared.errors import (
    Conflict,
    Forbidden,
    Internal,
    InvalidConfiguration,
    InvalidRequest,
    InvalidVersion,
    InvalidWorkflowJson,
    NotFound,
    Unauthorized,
    UpstreamError,
)
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.deployments.deploy import Deployed, deploy
from shared.services.deployments.plan import Submission

Strategy = Literal["major_bump", "minor_bump", "explicit", "major", "minor", "patch"]


class DeployRequest(Document):
    """The body of ``deployProcessUseCase``."""

    project_id: str
    configuration: JsonValue = None
    version_strategy: Literal["major_bump", "minor_bump", "explicit", "major", "minor", "patch"] = (
        "minor_bump"
    )
    explicit_version: JsonValue = None
    metadata_documents: JsonValue = None
    skills: JsonValue = None


@endpoint(
    "POST",
    "deployProcessUseCase",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=DeployRequest,
    response=Deployed,
    errors=(
        InvalidRequest,
        InvalidConfiguration,
        InvalidWorkflowJson,
        InvalidVersion,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        UpstreamError,
        Internal,
    ),
    refusal_code="UNAUTHORIZED",
    memory_mebibytes=512,
    concurrency=20,
)
async def deploy_process_use_case(call: Call[DeployRequest]) -> Deployed:
    """Deploy a use case as one immutable version, live in n8n."""
    body = call.body
    sent = Submission(
        project_id=body.project_id,
        configuration=body.configuration,
        strategy=body.version_strategy,
        explicit_version=body.explicit_version,
        documents=body.metadata_documents,
        skills=body.skills,
    )
    return await deploy(call.platform, call.caller, sent)

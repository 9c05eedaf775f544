"""Deploying use cases, publishing them, deploying an installation again (api §5.8, §5.10, §5.11)."""

from __future__ import annotations

from pydantic import Field, JsonValue

from shared.errors import (
    DEPLOY_ERRORS,
    Conflict,
    Forbidden,
    Internal,
    InvalidRequest,
    NotFound,
    Unauthorized,
)
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.instance import SharedWith
from shared.model.project import Visibility
from shared.model.scopes import Scope
from shared.services.deployments.deploy import Deployed, deploy
from shared.services.deployments.plan import Submission
from shared.services.deployments.rerun import Wish, rerun
from shared.services.publishing.audience import Audience
from shared.services.publishing.plan import Publication
from shared.services.publishing.publish import Published, publish
from shared.versions import StrategyWord


class DeployRequest(Document):
    """The body of ``deployProcessUseCase``."""

    project_id: JsonValue = None
    configuration: JsonValue = None
    version_strategy: StrategyWord = "minor_bump"
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
    errors=DEPLOY_ERRORS,
    refusal_code="UNAUTHORIZED",
    memory_mebibytes=512,
    concurrency=20,
)
async def deploy_process_use_case(call: Call[DeployRequest]) -> Deployed:
    """Deploy a use case as one immutable version, live in n8n."""
    body = call.body
    if not isinstance(body.project_id, str) or not body.project_id:
        raise InvalidRequest(
            "projectId is required and must be the id of a project.",
            code="INVALID_PROJECT_ID",
            field="projectId",
        )
    sent = Submission(
        project_id=body.project_id,
        configuration=body.configuration,
        strategy=body.version_strategy,
        explicit_version=body.explicit_version,
        documents=body.metadata_documents,
        skills=body.skills,
    )
    return await deploy(call.platform, call.caller, sent)


class PublishRequest(Document):
    """The body of ``publishProcessDeploymentPublic``."""

    project_id: str = Field(min_length=1)
    process_deployment_id: str = Field(min_length=1)
    visibility: Visibility | None = None
    visibility_team_ids: list[str] = []
    visibility_user_ids: list[str] = []
    shared_with: SharedWith | None = None
    shared_with_user_ids: list[str] = []
    auto_toggle_dev_prod: bool = False
    skip_auto_create_prod_instance: bool = False
    user_id: str | None = None


@endpoint(
    "POST",
    "publishProcessDeploymentPublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=PublishRequest,
    response=Published,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, Internal),
    memory_mebibytes=512,
    concurrency=20,
)
async def publish_process_deployment_public(call: Call[PublishRequest]) -> Published:
    """Publish a version and bring it into the owner's production installation."""
    body = call.body
    asked = Publication(
        project_id=body.project_id,
        template_id=body.process_deployment_id,
        audience=Audience(
            visibility=body.visibility,
            team_ids=tuple(body.visibility_team_ids),
            user_ids=tuple(body.visibility_user_ids),
            shared_with=body.shared_with,
            shared_with_user_ids=tuple(body.shared_with_user_ids),
        ),
        auto_toggle=body.auto_toggle_dev_prod,
        skip_production=body.skip_auto_create_prod_instance,
        user_id=body.user_id,
    )
    return await publish(call.platform, call.caller, asked)


class RedeployRequest(Document):
    """The body of ``redeployDeploymentInstancePublic``."""

    process_instance_id: str = Field(min_length=1)
    deployment_parameters: dict[str, JsonValue] = {}
    force_redeploy: bool = False


class Redeployed(Document):
    """The answer to a rerun; ``error`` says why it failed."""

    deployment_status: str
    deployment_instance_id: str
    n8n_workflow_ids: list[str]
    error: str | None = None


@endpoint(
    "POST",
    "redeployDeploymentInstancePublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=RedeployRequest,
    response=Redeployed,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, Internal),
    memory_mebibytes=512,
    concurrency=20,
)
async def redeploy_deployment_instance_public(call: Call[RedeployRequest]) -> Redeployed:
    """Deploy an installation's version again, with other parameters and fresh credentials."""
    body = call.body
    wish = Wish(body.process_instance_id, body.deployment_parameters, body.force_redeploy)
    done = await rerun(call.platform, call.caller, wish)
    return Redeployed(
        deployment_status=done.carried.status,
        deployment_instance_id=done.deployment_instance_id,
        n8n_workflow_ids=[row.n8n_workflow_id for row in done.carried.rows if row.n8n_workflow_id],
        error=done.carried.error,
    )

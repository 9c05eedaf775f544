"""Handlers of delivered tasks. A 2xx ends a task, anything else has it delivered again."""

from __future__ import annotations

from datetime import datetime

from shared.errors import Conflict, NotFound, Unauthorized, UpstreamError
from shared.http.access import TaskCall
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.services.credits.flags import flag
from shared.services.credits.mail import mail_alert
from shared.services.credits.settle import settle as settle_charges
from shared.services.deployments.resume import resume
from shared.services.ingestion.resume import resume as resume_ingestion
from shared.services.integrations.forsaken import ForsakenOrder, end_forsaken
from shared.services.integrations.oauth.queues import TokenOrder
from shared.services.integrations.oauth.refresh import refresh
from shared.services.integrations.oauth.resume import resume_dependants
from shared.services.runs.dispatch import dispatch
from shared.services.runs.models import ModelsOrder, measure
from shared.services.runs.order import DispatchOrder
from shared.services.runs.supervise import supervise


class Outcome(Document):
    """What the handler did, for the log."""

    outcome: str


@endpoint(
    "POST",
    "dispatchExecution",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=DispatchOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=60,
)
async def dispatch_execution(call: Call[DispatchOrder]) -> Outcome:
    """Send a run into n8n."""
    call.notes["executionId"] = call.body.execution_id
    outcome = await dispatch(call.platform, call.body, call.deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class RunOrder(Document):
    """The body of a supervise task."""

    process_instance_id: str
    execution_id: str
    round: int = 0
    missed: datetime | None = None


@endpoint(
    "POST",
    "superviseExecution",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=RunOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
)
async def supervise_execution(call: Call[RunOrder]) -> Outcome:
    """Look after a run that has not reported."""
    body = call.body
    call.notes["executionId"] = body.execution_id
    outcome = await supervise(
        call.platform, body.process_instance_id, body.execution_id, body.round, body.missed
    )
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "measureLanguageModels",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=ModelsOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
)
async def measure_language_models(call: Call[ModelsOrder]) -> Outcome:
    """Count what a run used of language models."""
    call.notes["executionId"] = call.body.execution_id
    outcome = await measure(call.platform, call.body, call.deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class DeployOrder(Document):
    """The body of a deployment's watchdog task."""

    deployment_instance_id: str


@endpoint(
    "POST",
    "resumeDeployment",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=DeployOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=540,
)
async def resume_deployment(call: Call[DeployOrder]) -> Outcome:
    """Complete or fail a deployment whose worker is gone."""
    outcome = await resume(call.platform, call.body.deployment_instance_id, call.deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class IngestionOrder(Document):
    """The body of a data ingestion's watchdog task."""

    data_ingestion_id: str


@endpoint(
    "POST",
    "resumeDataIngestion",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=IngestionOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=540,
)
async def resume_data_ingestion(call: Call[IngestionOrder]) -> Outcome:
    """Complete or fail a data ingestion whose worker is gone."""
    outcome = await resume_ingestion(call.platform, call.body.data_ingestion_id, call.deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "refreshIntegration",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=TokenOrder,
    response=Outcome,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=300,
)
async def refresh_integration(call: Call[TokenOrder]) -> Outcome:
    """Exchange a connection's tokens before they expire."""
    outcome = await refresh(call.platform, call.body)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "resumeDependants",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=TokenOrder,
    response=Outcome,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=540,
)
async def resume_dependants_of(call: Call[TokenOrder]) -> Outcome:
    """Deploy again what waited for a connection."""
    outcome = f"{await resume_dependants(call.platform, call.body)} deployed again"
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "endIntegrationsOfMember",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=ForsakenOrder,
    response=Outcome,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=300,
)
async def end_integrations_of_member(call: Call[ForsakenOrder]) -> Outcome:
    """Delete the integrations of a member who was removed."""
    outcome = f"{await end_forsaken(call.platform, call.body)} deleted"
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class CreditsOrder(Document):
    """The body of a task about an organization's credits."""

    organization_id: str


@endpoint(
    "POST",
    "settleCredits",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=CreditsOrder,
    response=Outcome,
    errors=(Unauthorized, NotFound, Conflict),
)
async def settle_credits(call: Call[CreditsOrder]) -> Outcome:
    """Add what an organization was charged to its balance."""
    outcome = f"{await settle_charges(call.platform, call.body.organization_id)} entries settled"
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class AlertOrder(Document):
    """The body of the task that mails an alert."""

    organization_id: str
    period: str
    percent: int


@endpoint(
    "POST",
    "mailCreditAlert",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=AlertOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=180,
)
async def mail_credit_alert(call: Call[AlertOrder]) -> Outcome:
    """Mail an organization's owners and admins that a share of its credits is gone."""
    body = call.body
    outcome = await mail_alert(
        call.platform, body.organization_id, body.period, body.percent, call.deliveries
    )
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


@endpoint(
    "POST",
    "flagExhaustion",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=CreditsOrder,
    response=Outcome,
    errors=(Unauthorized, Conflict, UpstreamError),
    timeout_seconds=540,
)
async def flag_exhaustion(call: Call[CreditsOrder]) -> Outcome:
    """Let an organization's installations say whether it has credits."""
    outcome = f"{await flag(call.platform, call.body.organization_id)} installations changed"
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)

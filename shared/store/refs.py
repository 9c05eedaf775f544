"""Where each document lives. Paths are built here and nowhere else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.model.account import Account
from shared.model.apikey import ApiKey, ApiKeyAddress
from shared.model.audit import AuditEvent
from shared.model.credit_alert import CreditAlert
from shared.model.deployment import DeploymentInstance, N8nWorkflowOwner
from shared.model.document import Document
from shared.model.endpoint import Endpoint
from shared.model.events import Delivery, OutEvent, Subscription
from shared.model.execution import Execution, document_key
from shared.model.execution_job import ExecutionJob
from shared.model.file import InputFile
from shared.model.ingestion import DataIngestion, IngestionVersion
from shared.model.instance import ProcessInstance
from shared.model.integrations import ContextType, Holder, Integration, OAuthFlow
from shared.model.invitation import Invitation
from shared.model.keys import KeyRotation
from shared.model.ledger import LedgerEntry
from shared.model.listing import Installation, Listing
from shared.model.note import Note
from shared.model.organization import Member, N8nBackend, Organization, Shards, Team
from shared.model.otp import OneTimeCode, Purpose, RequestWindow
from shared.model.project import Process, Project
from shared.model.remembered import RememberedCall
from shared.model.rollout import Rollout, Target
from shared.model.signing import WebhookSecrets
from shared.model.stage import Stage, StageDocument
from shared.model.template import Template, VersionClaim
from shared.model.turn import Turn, TurnOf
from shared.model.usage import DailyUsage
from shared.model.user import EmailClaim, User

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Ref(Generic[D]):
    """The address of one document and the model that reads it."""

    path: str
    model: type[D]


_LONGEST_ID = 500
"""Bytes. Firestore takes 1,500 for a document's id, which may be made of two of ours."""


def _segment(identifier: str) -> str:
    """Return what an id is called in a path.

    An id comes from a caller: it must not be able to name another document than its own, nor one that
    Firestore does not take.
    """
    if len(identifier.encode()) > _LONGEST_ID:
        return f"-{hashlib.sha256(identifier.encode()).hexdigest()}"
    cleaned = identifier.replace("/", "_") or "_"
    return cleaned if cleaned not in (".", "..") and not cleaned.startswith("__") else f"-{cleaned}"


def _pair(first: str, second: str) -> str:
    # Only the second id may hold the separator: no two pairs share a name.
    return f"{_segment(first.replace(':', '_'))}:{_segment(second)}"


def api_key(digest: str) -> Ref[ApiKey]:
    """The key whose SHA-256 is ``digest``."""
    return Ref(f"apiKeys/{_segment(digest)}", ApiKey)


def api_key_address(key_id: str) -> Ref[ApiKeyAddress]:
    """Where the organization key with that id is."""
    return Ref(f"apiKeyAddresses/{_segment(key_id)}", ApiKeyAddress)


def shards() -> Ref[Shards]:
    """The backends that take new organizations."""
    return Ref("platform/shards", Shards)


def backend(backend_id: str) -> Ref[N8nBackend]:
    """An n8n backend."""
    return Ref(f"n8nBackends/{_segment(backend_id)}", N8nBackend)


def key_rotation(version: int) -> Ref[KeyRotation]:
    """The rotation that made a version of the storage key."""
    return Ref(f"keyRotations/{version}", KeyRotation)


def organization(organization_id: str) -> Ref[Organization]:
    """A tenant."""
    return Ref(f"organizations/{_segment(organization_id)}", Organization)


def account(organization_id: str) -> Ref[Account]:
    """The account of an organization: its credits, and which events it listens to."""
    return Ref(f"accounts/{_segment(organization_id)}", Account)


def ledger_entry(organization_id: str, entry_id: str) -> Ref[LedgerEntry]:
    """An entry of an organization's ledger; that of a run has the run's id."""
    return Ref(f"organizations/{_segment(organization_id)}/ledger/{_segment(entry_id)}", LedgerEntry)


def credit_alert(organization_id: str, period: str, percent: int) -> Ref[CreditAlert]:
    """That so much of a month's credits is gone."""
    return Ref(
        f"organizations/{_segment(organization_id)}/creditAlerts/{_segment(period)}-{percent}", CreditAlert
    )


def daily_usage(organization_id: str, day: str) -> Ref[DailyUsage]:
    """What an organization's runs cost on a day."""
    return Ref(f"organizations/{_segment(organization_id)}/creditUsage/{_segment(day)}", DailyUsage)


def member(organization_id: str, user_id: str) -> Ref[Member]:
    """A user's membership in an organization."""
    return Ref(f"organizations/{_segment(organization_id)}/members/{_segment(user_id)}", Member)


def team(organization_id: str, team_id: str) -> Ref[Team]:
    """A team of an organization."""
    return Ref(f"organizations/{_segment(organization_id)}/teams/{_segment(team_id)}", Team)


def turn(organization_id: str, of: TurnOf) -> Ref[Turn]:
    """The turn of an organization's keys, or of its members."""
    return Ref(f"organizations/{_segment(organization_id)}/turns/{of.value}", Turn)


def audit_event(organization_id: str, event_id: str) -> Ref[AuditEvent]:
    """An entry of an organization's audit log."""
    return Ref(f"organizations/{_segment(organization_id)}/auditEvents/{_segment(event_id)}", AuditEvent)


def user(user_id: str) -> Ref[User]:
    """A user."""
    return Ref(f"users/{_segment(user_id)}", User)


def email_claim(address_digest: str) -> Ref[EmailClaim]:
    """The claim on an address, by the digest of its normalised form."""
    return Ref(f"emails/{_segment(address_digest)}", EmailClaim)


def one_time_code(address_digest: str, purpose: Purpose) -> Ref[OneTimeCode]:
    """The code mailed to an address for a purpose."""
    return Ref(f"oneTimeCodes/{_pair(address_digest, purpose.value)}", OneTimeCode)


def request_window(kind: str, who: str) -> Ref[RequestWindow]:
    """What an address, or a network, asked for in the last hour."""
    return Ref(f"requestWindows/{_pair(kind, who)}", RequestWindow)


def invitation(invitation_id: str) -> Ref[Invitation]:
    """An invitation into an organization."""
    return Ref(f"invitations/{_segment(invitation_id)}", Invitation)


def project(project_id: str) -> Ref[Project]:
    """A project."""
    return Ref(f"projects/{_segment(project_id)}", Project)


def note(project_id: str, document_type_id: str, version: str) -> Ref[Note]:
    """One version of a note."""
    return Ref(f"projects/{_segment(project_id)}/notes/{_pair(document_type_id, version)}", Note)


def stage(project_id: str, number: int) -> Ref[Stage]:
    """Which document of a stage is the accepted one."""
    return Ref(f"projects/{_segment(project_id)}/stages/{number}", Stage)


def stage_document(project_id: str, number: int, version: str) -> Ref[StageDocument]:
    """One version of a stage's document."""
    return Ref(f"projects/{_segment(project_id)}/stageDocuments/{number}:{version}", StageDocument)


def process(process_id: str) -> Ref[Process]:
    """A process."""
    return Ref(f"processes/{_segment(process_id)}", Process)


def version_claim(process_id: str, version: str) -> Ref[VersionClaim]:
    """The claim on one version number of a process."""
    return Ref(f"processes/{_segment(process_id)}/versions/{_segment(version)}", VersionClaim)


def listing(process_id: str) -> Ref[Listing]:
    """What is shown of a published process."""
    return Ref(f"listings/{_segment(process_id)}", Listing)


def installation(process_id: str, holder_id: str) -> Ref[Installation]:
    """The one installation of a process that a user of an organization, or an organization, may have."""
    return Ref(f"processes/{_segment(process_id)}/installations/{_segment(holder_id)}", Installation)


def rollout(rollout_id: str) -> Ref[Rollout]:
    """A version on its way to the installations of a process."""
    return Ref(f"rollouts/{_segment(rollout_id)}", Rollout)


def rollout_target(rollout_id: str, process_instance_id: str) -> Ref[Target]:
    """One installation in a rollout."""
    return Ref(f"rollouts/{_segment(rollout_id)}/targets/{_segment(process_instance_id)}", Target)


def data_ingestion(data_ingestion_id: str) -> Ref[DataIngestion]:
    """A data ingestion."""
    return Ref(f"dataIngestions/{_segment(data_ingestion_id)}", DataIngestion)


def ingestion_version(process_id: str, version: str) -> Ref[IngestionVersion]:
    """The claim on one version number of a process's data ingestions."""
    return Ref(f"processes/{_segment(process_id)}/ingestionVersions/{_segment(version)}", IngestionVersion)


def template(template_id: str) -> Ref[Template]:
    """A deployment template."""
    return Ref(f"templates/{_segment(template_id)}", Template)


def instance(process_instance_id: str) -> Ref[ProcessInstance]:
    """A process instance."""
    return Ref(f"processInstances/{_segment(process_instance_id)}", ProcessInstance)


def deployment(deployment_instance_id: str) -> Ref[DeploymentInstance]:
    """A deployment instance."""
    return Ref(f"deploymentInstances/{_segment(deployment_instance_id)}", DeploymentInstance)


def endpoint(process_instance_id: str, workflow_id: str) -> Ref[Endpoint]:
    """The endpoint of one workflow of an installation."""
    return Ref(f"endpoints/{_pair(process_instance_id, workflow_id)}", Endpoint)


def webhook_secrets(process_instance_id: str, workflow_id: str) -> Ref[WebhookSecrets]:
    """The secrets that calls of one workflow of an installation are signed with."""
    return Ref(f"webhookSecrets/{_pair(process_instance_id, workflow_id)}", WebhookSecrets)


def n8n_workflow(organization_id: str, n8n_workflow_id: str) -> Ref[N8nWorkflowOwner]:
    """Which installation an n8n workflow belongs to."""
    return Ref(f"n8nWorkflows/{_pair(organization_id, n8n_workflow_id)}", N8nWorkflowOwner)


def subscription(organization_id: str, subscription_id: str) -> Ref[Subscription]:
    """An address that an organization wants to be told of events at."""
    organization_ = organization(organization_id)
    return Ref(f"{organization_.path}/subscriptions/{_segment(subscription_id)}", Subscription)


def event(organization_id: str, event_id: str) -> Ref[OutEvent]:
    """Something that happened in an organization."""
    return Ref(f"{organization(organization_id).path}/events/{_segment(event_id)}", OutEvent)


def delivery(organization_id: str, event_id: str, subscription_id: str) -> Ref[Delivery]:
    """An event on its way to one subscriber."""
    return Ref(
        f"{organization(organization_id).path}/deliveries/{_pair(event_id, subscription_id)}", Delivery
    )


def execution(process_instance_id: str, execution_id: str) -> Ref[Execution]:
    """A run."""
    key = _segment(document_key(execution_id))
    return Ref(f"processInstances/{_segment(process_instance_id)}/executions/{key}", Execution)


def input_file(process_instance_id: str, document_id: str) -> Ref[InputFile]:
    """A file that was uploaded for runs of an installation."""
    instance = _segment(process_instance_id)
    return Ref(f"processInstances/{instance}/inputFiles/{_segment(document_id)}", InputFile)


def remembered_call(*scope: str) -> Ref[RememberedCall]:
    """The call that is known by these names: whose it is, of what, and its key; none can be read off."""
    digest = hashlib.sha256(json.dumps(scope).encode()).hexdigest()
    return Ref(f"idempotencyKeys/{digest}", RememberedCall)


def execution_job(process_instance_id: str, job_id: str) -> Ref[ExecutionJob]:
    """Something that is done to many runs of an installation."""
    return Ref(
        f"processInstances/{_segment(process_instance_id)}/executionJobs/{_segment(job_id)}", ExecutionJob
    )


def integration(holder: Holder, integration_id: str) -> Ref[Integration]:
    """A connected integration: below its organization, or below the n8n of a platform's own."""
    is_platforms = holder.context_type is ContextType.PLATFORM
    owner = backend(holder.owner) if is_platforms else organization(holder.organization_id)
    return Ref(f"{owner.path}/integrations/{_pair(integration_id, holder.label)}", Integration)


def oauth_flow(state_digest: str) -> Ref[OAuthFlow]:
    """An authorization that was begun, by the digest of its state."""
    return Ref(f"oauthFlows/{_segment(state_digest)}", OAuthFlow)

"""The audit log: who changed what, and who was refused a privileged action."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class AuditAction(StrEnum):
    """What was done; ``noun.verb``."""

    ACCESS_REFUSED = "access.refused"
    API_KEY_CREATED = "api_key.created"
    API_KEY_UPDATED = "api_key.updated"
    API_KEY_REVOKED = "api_key.revoked"
    INSTANCE_KEY_REVEALED = "instance_key.revealed"
    INSTANCE_KEY_REGENERATED = "instance_key.regenerated"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_UPDATED = "organization.updated"
    CREDITS_ADJUSTED = "credits.adjusted"
    CREDITS_RUN_LOW = "credits.run_low"
    CREDITS_EXHAUSTED = "credits.exhausted"
    CREDIT_POLICY_SET = "credit_policy.set"
    MEMBER_ADDED = "member.added"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    TEAM_CHANGED = "team.changed"
    TEAM_REMOVED = "team.removed"
    USER_SIGNED_UP = "user.signed_up"
    USER_LOGGED_IN = "user.logged_in"
    PROJECT_CREATED = "project.created"
    PROJECT_UPDATED = "project.updated"
    PROJECT_ARCHIVED = "project.archived"
    PROJECT_UNARCHIVED = "project.unarchived"
    PROJECT_NOTE_WRITTEN = "project_note.written"
    STAGE_DOCUMENTS_UPLOADED = "stage_documents.uploaded"
    USE_CASE_DEPLOYED = "use_case.deployed"
    TEMPLATE_PUBLISHED = "template.published"
    PROCESS_INSTALLED = "process.installed"
    PROCESS_UNINSTALLED = "process.uninstalled"
    PROCESS_VISIBILITY_CHANGED = "process.visibility_changed"
    PROCESS_ROLLED_BACK = "process.rolled_back"
    ROLLOUT_CANCELLED = "rollout.cancelled"
    ROLLOUT_RESUMED = "rollout.resumed"
    INSTANCE_SHARED = "instance.shared"
    INSTANCE_PINNED = "instance.pinned"
    INSTANCE_UPDATED = "instance.updated"
    INSTANCE_DRIFT_REPAIRED = "instance.drift_repaired"
    INSTANCE_REDEPLOYED = "instance.redeployed"
    INSTANCE_ACTIVATED = "instance.activated"
    INSTANCE_DEACTIVATED = "instance.deactivated"
    INSTANCE_ARCHIVED = "instance.archived"
    INSTANCE_UNARCHIVED = "instance.unarchived"
    WEBHOOK_SECRET_ADDED = "webhook_secret.added"
    WEBHOOK_SECRET_DELETED = "webhook_secret.deleted"
    EXECUTION_CANCELLED = "execution.cancelled"
    EXECUTION_RETRIED = "execution.retried"
    EXECUTION_REPLAYED = "execution.replayed"
    EXECUTION_JOB_STARTED = "execution_job.started"
    EXECUTION_JOB_CANCELLED = "execution_job.cancelled"
    EVENT_SUBSCRIPTION_CREATED = "event_subscription.created"
    EVENT_SUBSCRIPTION_CHANGED = "event_subscription.changed"
    EVENT_SUBSCRIPTION_DELETED = "event_subscription.deleted"
    EVENT_SUBSCRIPTION_DISABLED = "event_subscription.disabled"
    EVENTS_REPLAYED = "events.replayed"
    DATA_INGESTION_DEPLOYED = "data_ingestion.deployed"
    DATA_INGESTION_DEACTIVATED = "data_ingestion.deactivated"
    INTEGRATION_CONNECTED = "integration.connected"
    INTEGRATION_DELETED = "integration.deleted"
    INTEGRATION_LAPSED = "integration.lapsed"
    INTEGRATION_AUTHORIZATION_STARTED = "integration.authorization_started"


class AuditEvent(Document):
    """One entry; written in the commit of the change it tells of, never changed, never secret.

    ``target`` is the id of what was changed. ``actor_user_id`` is the owner of the key that was used.
    """

    event_id: str
    organization_id: str
    action: AuditAction
    actor_user_id: str
    actor_key_id: str | None = None
    actor_key_prefix: str | None = None
    target: str
    details: dict[str, object] = {}
    request_id: str | None = None
    created_at: datetime

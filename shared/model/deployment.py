"""Deployment instances: a template materialised for one installation (platform §3, §4)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class DeploymentStatus(StrEnum):
    """Where a deployment instance stands."""

    PENDING = "pending"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    UPDATING = "updating"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing works on the deployment any more."""
        return self in (DeploymentStatus.DEPLOYED, DeploymentStatus.FAILED)


class Purpose(StrEnum):
    """What a deployment instance was last worked on for."""

    DEPLOY = "deploy"
    PUBLISH = "publish"
    RERUN = "rerun"
    INSTALL = "install"
    REPAIR = "repair"
    """The version that runs, once more: n8n is not as recorded."""
    UPDATE = "update"
    """Another version than the installation had, newer or older."""

    @property
    def holds_project(self) -> bool:
        """Whether nothing else may be deployed or published from the project meanwhile."""
        return self in (Purpose.DEPLOY, Purpose.PUBLISH)


class Lease(Document):
    """Who works on a deployment, and until when that is believed."""

    holder: str
    expires_at: datetime


class WorkflowRow(Document):
    """One workflow of a deployment as it is in n8n.

    ``content_hash`` is the hash of the resolved workflow: equal hashes cost no call on the next deploy.
    ``n8n_version_id`` is the version n8n runs, the one to go back to, with ``n8n_name`` and
    ``n8n_settings``, which n8n does not keep with its versions.
    """

    workflow_id: str
    workflow_name: str
    n8n_workflow_id: str | None = None
    n8n_version_id: str | None = None
    n8n_name: str | None = None
    n8n_settings: dict[str, object] | None = None
    n8n_workflow_is_active: bool = False
    n8n_activation_error: str | None = None
    content_hash: str | None = None
    cost: float = 0
    integration_uids: list[str] = []


class DeploymentInstance(Document):
    """The running copy of one version for one installation."""

    organization_id: str
    process_instance_id: str
    process_id: str
    project_id: str
    template_id: str
    version: str
    purpose: Purpose = Purpose.DEPLOY
    deployment_status: DeploymentStatus = DeploymentStatus.PENDING
    error: str | None = None
    error_code: str | None = None
    workflows: list[WorkflowRow] = []
    previous_id: str | None = None
    """The deployment instance this one replaces."""
    skills_blob: str | None = None
    outline: str | None = None
    """JSON text of the version's :class:`~shared.model.outline.Outline`; absent when it is long."""
    lease: Lease | None = None
    attempts: int = 0
    reruns: int = 0
    switching: bool = False
    """Whether it began to change what n8n runs: until that is done or undone, n8n may run a mix."""
    leftovers: list[str] = []
    """n8n ids of workflows this deployment replaced by nothing and that are still to be removed."""
    rollout_id: str | None = None
    """The rollout whose target it is; what becomes of it is told there in the same commit."""
    pauses: str | None = None
    """The owner's other installation, to be paused once this one is live (decision 15)."""
    started_by: str | None = None
    """The user who asked for it."""
    created_at: datetime
    completed_at: datetime | None = None


class LastReport(Document):
    """The last failure that n8n reported without naming an execution, and the run it was written to."""

    digest: str
    execution_id: str
    matched: bool
    at: datetime


class N8nWorkflowOwner(Document):
    """Finds the installation an n8n workflow belongs to; keyed by organization and n8n workflow id."""

    organization_id: str
    process_instance_id: str
    process_id: str
    deployment_instance_id: str
    workflow_id: str
    trigger_type: str
    last_report: LastReport | None = None

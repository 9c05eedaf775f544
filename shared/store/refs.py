"""Where each document lives. Paths are built here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.model.apikey import ApiKey
from shared.model.deployment import DeploymentInstance, N8nWorkflowOwner
from shared.model.document import Document
from shared.model.endpoint import Endpoint
from shared.model.execution import Execution, document_key
from shared.model.instance import ProcessInstance
from shared.model.organization import Member, N8nBackend, Organization
from shared.model.project import Process, Project
from shared.model.template import Template, VersionClaim

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Ref(Generic[D]):
    """The address of one document and the model that reads it."""

    path: str
    model: type[D]


def _segment(identifier: str) -> str:
    # An id comes from a caller and becomes part of a path: it must not be able to name another one.
    cleaned = identifier.replace("/", "_") or "_"
    return cleaned if cleaned not in (".", "..") and not cleaned.startswith("__") else f"-{cleaned}"


def api_key(digest: str) -> Ref[ApiKey]:
    """The key whose SHA-256 is ``digest``."""
    return Ref(f"apiKeys/{_segment(digest)}", ApiKey)


def backend(backend_id: str) -> Ref[N8nBackend]:
    """An n8n backend."""
    return Ref(f"n8nBackends/{_segment(backend_id)}", N8nBackend)


def organization(organization_id: str) -> Ref[Organization]:
    """A tenant."""
    return Ref(f"organizations/{_segment(organization_id)}", Organization)


def member(organization_id: str, user_id: str) -> Ref[Member]:
    """A user's membership in an organization."""
    return Ref(f"organizations/{_segment(organization_id)}/members/{_segment(user_id)}", Member)


def project(project_id: str) -> Ref[Project]:
    """A project."""
    return Ref(f"projects/{_segment(project_id)}", Project)


def process(process_id: str) -> Ref[Process]:
    """A process."""
    return Ref(f"processes/{_segment(process_id)}", Process)


def version_claim(process_id: str, version: str) -> Ref[VersionClaim]:
    """The claim on one version number of a process."""
    return Ref(f"processes/{_segment(process_id)}/versions/{_segment(version)}", VersionClaim)


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
    return Ref(f"endpoints/{_segment(process_instance_id)}:{_segment(workflow_id)}", Endpoint)


def n8n_workflow(organization_id: str, n8n_workflow_id: str) -> Ref[N8nWorkflowOwner]:
    """Which installation an n8n workflow belongs to."""
    return Ref(f"n8nWorkflows/{_segment(organization_id)}:{_segment(n8n_workflow_id)}", N8nWorkflowOwner)


def execution(process_instance_id: str, execution_id: str) -> Ref[Execution]:
    """A run."""
    key = document_key(_segment(execution_id)) or "_"
    return Ref(f"processInstances/{_segment(process_instance_id)}/executions/{key}", Execution)

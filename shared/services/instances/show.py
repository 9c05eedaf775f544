"""Show an installation and what it runs (api §5.19)."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from shared.errors import Internal
from shared.model.apikey import ApiKey
from shared.model.configuration import Configuration
from shared.model.deployment import DeploymentInstance, WorkflowRow
from shared.model.instance import ProcessInstance
from shared.model.outline import Outline, outline_of
from shared.services.access import accessible_instance
from shared.services.platform import Platform
from shared.store import refs


@dataclass(frozen=True, slots=True)
class Shown:
    """An installation, its latest deployment if there is one, and the outline of that version."""

    instance: ProcessInstance
    deployment: DeploymentInstance | None
    outline: Outline

    @property
    def parameters(self) -> dict[str, object]:
        """The deployment parameters the version declares, with their values."""
        stored = self.instance.deployment_parameters
        return {key: stored[key] for key in self.outline.parameters if key in stored}

    @property
    def workflows(self) -> list[WorkflowRow]:
        """The workflows as they are in n8n; those of a deployment that is at work are not there yet."""
        rows = self.deployment.workflows if self.deployment else []
        return rows or [
            WorkflowRow(
                workflow_id=planned.workflow_id,
                workflow_name=planned.workflow_name,
                cost=planned.cost,
                integration_uids=planned.integration_uids,
            )
            for planned in self.outline.workflows
        ]


async def show(platform: Platform, key: ApiKey, process_instance_id: str) -> Shown:
    """Return an installation with what is to be shown of it; mostly two reads.

    Raises:
        NotFound, Forbidden: as for any use of the installation.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    deployment = await platform.store.get(refs.deployment(found.value.current_deployment_instance_id))
    if deployment is None:
        return Shown(found.value, None, Outline())
    return Shown(found.value, deployment.value, await _outline(platform, deployment.value))


async def _outline(platform: Platform, deployment: DeploymentInstance) -> Outline:
    if deployment.outline is not None:
        return Outline.model_validate_json(deployment.outline)
    # It was too long to be kept with the deployment.
    template = await platform.store.get(refs.template(deployment.template_id))
    if template is None:
        raise Internal("The deployment refers to a version that does not exist.")
    digest = template.value.configuration_blob
    contents = await platform.blobs.get(template.value.organization_id, [digest])
    return outline_of(Configuration.model_validate(orjson.loads(contents[digest])))

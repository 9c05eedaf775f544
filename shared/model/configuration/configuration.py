"""The configuration of a use case, as deployed (types §2), with its skills and source documents."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.configuration.fields import DeploymentItem
from shared.model.configuration.integrations import CustomIntegration
from shared.model.configuration.part import Part
from shared.model.configuration.workflow import Workflow


class Agent(Part):
    """An AI agent shown with the process."""

    id: str = ""
    name: str = ""
    system_prompt: str = ""
    title: str = ""
    description: str = ""
    welcome_message: str = ""


class DataIngestionEndpoint(Part):
    """A pointer to an ingestion workflow; informational."""

    workflow_template_id: str = ""
    webhook_url: str = ""
    purpose: str = ""


class Configuration(Part):
    """A use case. Unknown fields are ignored here; the configuration as sent is stored beside."""

    title: str = Field(min_length=1)
    subtitle: str = ""
    description: str = Field(min_length=1)
    workflows: list[Workflow] = Field(min_length=1)
    process_deployment_markdown: str = ""
    release_notes: str | None = None
    tags: list[str] = []
    integration_uids: list[str] | None = None
    icon: str | None = None
    deployment_input_schema: list[DeploymentItem] = []
    default_deployment_parameters: dict[str, object] = {}
    data_ingestion_endpoint: DataIngestionEndpoint | None = None
    agent: Agent | None = None
    process_type: Literal["personal", "organizational"] = "personal"
    custom_integrations: list[CustomIntegration] = []

    def required_integrations(self) -> list[str]:
        """Return the integration ids the process needs, in order of first mention, each once.

        Without a list of its own that is the union over the workflows; ids of custom integrations the
        process brings are always part of it.
        """
        stated = self.integration_uids
        if stated is None:
            stated = [uid for workflow in self.workflows for uid in workflow.integration_uids]
        return list(dict.fromkeys([*stated, *(custom.id for custom in self.custom_integrations)]))


class Skill(Part):
    """What an agent reads to use one workflow (types §10); ``content_markdown`` is the whole file."""

    name: str
    description: str = ""
    workflow_template_id: str
    content_markdown: str = Field(repr=False)
    relative_path: str


class MetadataDocument(Part):
    """A source file sent along with a deploy (types §9)."""

    relative_path: str
    content_type: str = "application/octet-stream"
    content_base64: str = Field(repr=False)
    description: str | None = None

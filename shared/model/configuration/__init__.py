"""The configuration of a use case: what an author deploys. Pure."""

from shared.model.configuration.configuration import (
    Agent,
    Configuration,
    DataIngestionEndpoint,
    MetadataDocument,
    Skill,
)
from shared.model.configuration.fields import DeploymentItem, FormField, FormItem, Section, fields_of
from shared.model.configuration.integrations import CustomIntegration, IntegrationField
from shared.model.configuration.triggers import (
    DataIngestionTrigger,
    HttpTrigger,
    IngestionWebhooks,
    ScheduleTrigger,
    ServiceEventTrigger,
    SubworkflowTrigger,
    Trigger,
)
from shared.model.configuration.workflow import DataIngestion, KnowledgeBaseAccess, Workflow

__all__ = [
    "Agent",
    "Configuration",
    "CustomIntegration",
    "DataIngestion",
    "DataIngestionEndpoint",
    "DataIngestionTrigger",
    "DeploymentItem",
    "FormField",
    "FormItem",
    "HttpTrigger",
    "IngestionWebhooks",
    "IntegrationField",
    "KnowledgeBaseAccess",
    "MetadataDocument",
    "ScheduleTrigger",
    "Section",
    "ServiceEventTrigger",
    "Skill",
    "SubworkflowTrigger",
    "Trigger",
    "Workflow",
    "fields_of",
]

"""What is shown of a version to those who use it: no URLs, no tokens, no workflow files (api §5.19). Pure."""

from __future__ import annotations

from pydantic import Field, JsonValue

from shared.model.configuration import Configuration, Workflow, fields_of
from shared.model.configuration.triggers import (
    HttpTrigger,
    ScheduleTrigger,
    ServiceEventTrigger,
    SubworkflowTrigger,
    Trigger,
)
from shared.model.document import Document

LONGEST_KEPT = 256 * 1024
"""Bytes of an outline that is kept with a deployment, whose document ends at 1 MiB."""


class WorkflowOutline(Document):
    """One workflow. ``cost`` is in credits per successful run."""

    workflow_id: str
    workflow_name: str
    triggers: list[dict[str, JsonValue]]
    cost: float = 0
    integration_uids: list[str] = []


class Outline(Document):
    """A version. ``parameters`` are the keys of the deployment parameters it declares."""

    input_schema: list[JsonValue] = Field(default_factory=list)
    parameters: list[str] = []
    workflows: list[WorkflowOutline] = []

    def kept(self) -> str | None:
        """Return the JSON text to keep with a deployment; ``None`` when it is too long for that."""
        text = self.model_dump_json(by_alias=True)
        return text if len(text.encode()) <= LONGEST_KEPT else None


def outline_of(configuration: Configuration) -> Outline:
    """Return the outline of a use case."""
    schema = configuration.deployment_input_schema
    return Outline(
        input_schema=[item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in schema],
        parameters=[field.key for field in fields_of(schema)],
        workflows=[_workflow(workflow) for workflow in configuration.workflows],
    )


def _workflow(workflow: Workflow) -> WorkflowOutline:
    return WorkflowOutline(
        workflow_id=workflow.workflow_template_id,
        workflow_name=workflow.workflow_name,
        triggers=[_summary(trigger) for trigger in workflow.triggers],
        cost=float(workflow.cost),
        integration_uids=workflow.integration_uids,
    )


def _summary(trigger: Trigger) -> dict[str, JsonValue]:
    match trigger:
        case HttpTrigger():
            shown: dict[str, JsonValue] = {"type": trigger.type, "method": trigger.method}
        case ScheduleTrigger():
            shown = {
                "type": trigger.type,
                "cronExpression": trigger.cron_expression,
                "timezone": trigger.timezone,
            }
        case ServiceEventTrigger():
            shown = {"type": trigger.type, "service": trigger.service, "eventType": trigger.event_type}
        case _:
            shown = {"type": trigger.type}
    if isinstance(trigger, HttpTrigger | SubworkflowTrigger) and trigger.input_schema is not None:
        items = trigger.input_schema
        shown["inputSchema"] = [
            item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in items
        ]
    return shown

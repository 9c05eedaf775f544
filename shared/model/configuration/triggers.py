"""The five ways a workflow starts (types §4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from shared.model.configuration.fields import FormItem
from shared.model.configuration.part import Number, Part


class TriggerBase(Part):
    """What all triggers have. ``trigger_id`` is fresh on every deploy: never a stable key."""

    trigger_id: str
    title: str | None = None
    description: str | None = None


class HttpTrigger(TriggerBase):
    """Started by a call. ``auth_token`` is a legacy secret and never leaves the platform.

    ``strict_input``: whether payloads are checked against ``input_schema`` (decision 13).
    """

    type: Literal["http"]
    url: str
    method: Literal["POST", "GET", "PUT", "DELETE"]
    input_schema: list[FormItem] | None = None
    auth_method: Literal["none", "bearer", "basic"] | None = None
    auth_token: str | None = Field(default=None, repr=False, exclude=True)
    strict_input: bool = True


class ScheduleTrigger(TriggerBase):
    """Started by n8n's clock; ``manual_trigger_url`` serves "run now"."""

    type: Literal["schedule"]
    cron_expression: str
    timezone: str
    human_readable: str
    manual_trigger_url: str


class ServiceEventTrigger(TriggerBase):
    """Started by n8n's own trigger node of a service; not triggerable through the API."""

    type: Literal["service_event"]
    service: Literal["telegram", "email", "slack", "discord", "pipedrive", "other"]
    event_type: str = ""


class SubworkflowInput(Part):
    """One input of a sub-workflow; ``name`` is an old word for ``key``."""

    key: str = Field(validation_alias=AliasChoices("key", "name"), min_length=1)
    type: Literal["string", "number", "boolean", "array", "object"]


class SubworkflowTrigger(TriggerBase):
    """Started by a sibling workflow. ``called_by`` documents the callers; references decide the order."""

    type: Literal["subworkflow"]
    input_schema: list[SubworkflowInput] = []
    called_by: list[str] = []


class IngestionWebhooks(Part):
    """Webhook paths (no base URL), placeholders unresolved."""

    embed: str
    delete: str


class DataIngestionTrigger(TriggerBase):
    """Started by the platform when a document was parsed. ``cost``: credits per successful embedding."""

    type: Literal["data_ingestion"]
    webhooks: IngestionWebhooks
    cost: Number | None = Field(default=None, ge=0, allow_inf_nan=False)


Trigger = HttpTrigger | ScheduleTrigger | ServiceEventTrigger | SubworkflowTrigger | DataIngestionTrigger
AnyTrigger = Annotated[Trigger, Field(discriminator="type")]

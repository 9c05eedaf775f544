"""Endpoints: everything a trigger needs, denormalised when a deployment goes live (design §4)."""

from __future__ import annotations

from datetime import datetime

from shared.model.document import Document
from shared.model.instance import Environment, Sharing


class TriggerTarget(Document):
    """How n8n is called: the resolved webhook URL and its declared method."""

    trigger_id: str
    trigger_type: str
    method: str
    url: str


class Endpoint(Sharing):
    """One workflow of one installation. ``user_id`` is the installation's owner.

    ``target`` is absent for a workflow that cannot be triggered through the API.
    """

    organization_id: str
    process_id: str
    process_instance_id: str
    deployment_instance_id: str
    version: str
    environment: Environment
    workflow_id: str
    n8n_workflow_id: str
    backend_id: str
    is_active: bool
    trigger_types: list[str]
    trigger_ids: dict[str, str] = {}
    """trigger type → trigger id"""
    target: TriggerTarget | None = None
    webhook_secret: str
    """Sealed value of the webhook auth header."""
    input_schema: str | None = None
    """JSON text of the trigger's input schema; absent means anything goes."""
    cost: float = 0
    trigger_failed: bool = False
    """Whether the installation tells of an error of its trigger, which the next run ends."""
    of_another: bool = False
    """Whether another organization published it: what it is made of is not shown (decision 0017)."""
    uses_language_models: bool = False
    """Whether the workflow, or one that it calls, asks language models: its runs are looked at for tokens."""
    llm_cost_estimate: float | None = None
    """What its author says the language models of a run cost, in credits."""
    max_running: int | None = None
    """How many runs may be in n8n at once; more wait. Absent: as many as the organization's lane sends."""
    max_runs_per_minute: int | None = None
    """How many runs may begin within a minute; more wait."""
    held_until: datetime | None = None
    """Until then no run is sent: n8n is being switched to another version of the ensemble."""

    @property
    def is_limited(self) -> bool:
        """Whether its runs are counted before one is sent."""
        return self.max_running is not None or self.max_runs_per_minute is not None

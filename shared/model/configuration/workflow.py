"""One workflow of a use case (types §3) and the process-level ingestion workflow (types §11.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from shared.model.configuration.fields import FormItem
from shared.model.configuration.part import Count, Number, Part
from shared.model.configuration.triggers import AnyTrigger, IngestionWebhooks


class KnowledgeBaseAccess(Part):
    """Tags of the knowledge documents a workflow may read; ``["*"]`` means all."""

    process_doc_tags: list[str] = []
    process_instance_doc_tags: list[str] = []


class Workflow(Part):
    """A workflow. ``cost`` is in credits per successful run; the file is base64 of its text.

    ``max_running`` and ``max_runs_per_minute`` limit how many of its triggered runs are in n8n at once, and
    how many begin within a minute: what is over that waits. Both are extensions of ours (decision 0025).
    """

    workflow_template_id: str = Field(min_length=1)
    workflow_id: str = Field(min_length=1)
    workflow_name: str = Field(min_length=1)
    triggers: list[AnyTrigger] = Field(min_length=1)
    markdown_info: str | None = None
    knowledge_base_access: KnowledgeBaseAccess = KnowledgeBaseAccess()
    integration_uids: list[str] = []
    workflow_category: Literal["user_facing", "data_ingestion"] = "user_facing"
    output_schema: list[FormItem] = []
    n8n_workflow_json_base64: str = Field(min_length=1, repr=False, alias="n8nWorkflowJsonBase64")
    cost: Number = Field(default=0, ge=0, allow_inf_nan=False)
    max_running: Count | None = Field(default=None, ge=1, le=1000)
    max_runs_per_minute: Count | None = Field(default=None, ge=1, le=30_000)
    cost_estimation_for_llm_tokens: Number | None = Field(default=None, alias="costEstimationForLLMTokens")

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, given: object) -> object:
        """Docs omit ``workflowId`` for sub-workflows; it equals ``workflowTemplateId`` then."""
        if isinstance(given, Mapping) and given.get("workflowId") is None and "workflow_id" not in given:
            return {**given, "workflowId": given.get("workflowTemplateId")}
        return given


class DataIngestion(Part):
    """``config`` of a process-level data ingestion. ``cost``: credits per successful embedding."""

    workflow_template_id: str = Field(min_length=1)
    workflow_name: str = Field(min_length=1)
    n8n_workflow_json_base64: str = Field(min_length=1, repr=False, alias="n8nWorkflowJsonBase64")
    webhooks: IngestionWebhooks
    purpose: str = ""
    markdown_info: str | None = None
    cost: Number | None = Field(default=None, ge=0, allow_inf_nan=False)

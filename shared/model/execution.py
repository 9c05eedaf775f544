"""Executions: one run each (platform §15)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.file import GivenFile, RunFile
from shared.model.instance import Environment, Sharing
from shared.model.signing import Signer


class ExecutionStatus(StrEnum):
    """The three public states of a run. Terminal states are final."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


class DispatchState(StrEnum):
    """How far a run's way into n8n has come; internal.

    ``queued``: waiting for its task, or released after n8n was not reached.
    ``sending``: one worker owns the call; whether n8n got it is unknown until it says so.
    ``accepted``: n8n has it. It is never sent again.
    """

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"


class Correlation(StrEnum):
    """How the error workflow's report found its run (nodes §8)."""

    EXECUTION_ID = "execution_id"
    CUSTOM_DATA = "custom_data"
    GUESS = "guess"
    NONE = "none"


class LlmUsage(Document):
    """What the calls of one node used of one model. ``cost`` is in micro-USD, absent for an unknown price.

    ``estimated``: the tokens are n8n's estimate, for the provider did not count them.
    """

    node: str
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    calls: int = 1
    estimated: bool
    cost: int | None = None


class LlmTotals(Document):
    """What a run with its sub-workflows used of all models. ``cost`` is in micro-USD.

    ``unpriced``: some model has no price, and ``cost`` is of the others. ``configured_cost``, in credits, is
    what the workflow's author says; it is there when n8n's record tells nothing.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: int = 0
    estimated: bool = False
    unpriced: bool = False
    configured_cost: float | None = None


class Execution(Sharing):
    """A run. JSON values are kept as text: Firestore has no lists of lists and a depth limit.

    ``duration`` is in milliseconds. ``outcome_digest`` recognises an identical repeat of the final
    callback. ``user_id`` is the owner of the installation.
    """

    execution_id: str
    organization_id: str
    process_id: str
    process_instance_id: str
    deployment_instance_id: str
    template_version: str
    environment: Environment
    workflow_id: str
    trigger_id: str
    trigger_type: str
    n8n_workflow_id: str
    backend_id: str
    status: ExecutionStatus = ExecutionStatus.PENDING
    dispatch: DispatchState = DispatchState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    max_running: int | None = None
    """How many runs of its workflow could go on when it was sent: its end lets another one in."""
    held_at: datetime | None = None
    """When a deployment last made sure that no worker sends the run while versions are switched."""
    completed_at: datetime | None = None
    duration: int | None = None
    cost: float = 0
    of_another: bool = False
    uses_language_models: bool = False
    llm_cost_estimate: float | None = None
    llm_usage: list[LlmUsage] | None = None
    llm_totals: LlmTotals | None = None
    caller_key_id: str | None = None
    signer: Signer | None = None
    """Who signed the call, where no key made it."""
    traceparent: str | None = None
    """Where the trace was that the run began in (W3C Trace Context): what is done for it goes on there."""
    tracestate: str | None = None
    trigger_data: str | None = None
    trigger_data_blob: str | None = None
    trigger_data_truncated: bool = False
    result_data: str | None = None
    result_blob: str | None = None
    error_details: dict[str, object] | None = None
    outcome_digest: str | None = None
    notes: list[str] = []
    n8n_execution_id: str | None = None
    correlation: Correlation | None = None
    expire_at: datetime | None = None
    retry_of: str | None = None
    """The run that this one repeats as it was."""
    replay_of: str | None = None
    """The run that this one repeats on the newest version, or with another payload."""
    repeated_as: str | None = None
    """The newest run that repeats this one."""
    uploads: list[RunFile] = []
    given: list[GivenFile] = []


class PendingRun(Document):
    """What a deployment needs to know of a run that has not ended."""

    execution_id: str
    workflow_id: str
    n8n_workflow_id: str
    status: ExecutionStatus
    dispatch: DispatchState
    created_at: datetime
    started_at: datetime | None = None


class ListedRun(Document):
    """What a list shows of a run: nothing it was given or returned."""

    execution_id: str
    organization_id: str
    process_instance_id: str
    environment: Environment
    trigger_type: str
    workflow_id: str
    trigger_id: str
    status: ExecutionStatus
    created_at: datetime
    duration: int | None = None
    n8n_execution_id: str | None = None
    error_details: dict[str, object] | None = None


def document_key(execution_id: str) -> str:
    """Return the document id of a run.

    A UUIDv7 grows with time, and growing keys pile up on one tablet. Reversed, its random bits lead.
    """
    return execution_id.replace("-", "")[::-1]

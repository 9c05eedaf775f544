"""Rollouts: how far they are, stopping them, and the tasks they consist of (platform §10, §12)."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized, UpstreamError
from shared.http.access import A, O, P, TaskCall, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.rollout import Rollout, Target, TargetStatus
from shared.model.scopes import Scope
from shared.services.rollouts.close import close
from shared.services.rollouts.control import cancel_rollout, resume_rollout
from shared.services.rollouts.plan import plan
from shared.services.rollouts.progress import MOST, progress_of, rollouts_of, targets_of
from shared.services.rollouts.target import update_target

_READERS = keys(O, P, A, scopes=(Scope.PROJECTS_READ,))
_PUBLISHERS = keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,))


class RolloutQuery(Document):
    """The query of ``getRolloutPublic``."""

    rollout_id: str = Field(min_length=1)


class TargetRow(Document):
    """An installation in a rollout. ``error`` is there for those of the publisher's own organization."""

    process_instance_id: str
    status: str
    from_version: str | None = None
    error_code: str | None = None
    error: str | None = None
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None

    @classmethod
    def of(cls, rollout: Rollout, target: Target) -> Self:
        """Return the row of a target, without what is not the publisher's to know."""
        own = target.organization_id == rollout.organization_id
        return cls.model_validate({**dict(target), "error": target.error if own else None})


class RolloutRow(Document):
    """A rollout as lists show it."""

    rollout_id: str
    process_id: str
    project_id: str
    process_deployment_id: str
    version: str
    number: int
    status: str
    created_at: Timestamp
    ended_at: Timestamp | None = None

    @classmethod
    def fields_of(cls, rollout_id: str, rollout: Rollout) -> dict[str, object]:
        """Return the fields of a rollout's row."""
        return {**dict(rollout), "rollout_id": rollout_id, "process_deployment_id": rollout.template_id}


class RolloutProgress(RolloutRow):
    """How far a rollout is: ``counts`` has every status, ``reasons`` the error codes of what failed."""

    total: int
    counts: dict[str, int]
    reasons: dict[str, int]
    failures: list[TargetRow]


@endpoint(
    "GET",
    "getRolloutPublic",
    access=_READERS,
    envelope=Envelope.DATA,
    request=RolloutQuery,
    response=RolloutProgress,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_rollout_public(call: Call[RolloutQuery]) -> RolloutProgress:
    """Return how far a rollout is."""
    rollout_id = call.body.rollout_id
    progress = await progress_of(call.platform, call.caller, rollout_id)
    fields = RolloutRow.fields_of(rollout_id, progress.rollout)
    return RolloutProgress.model_validate(
        {
            **fields,
            "total": progress.total,
            "counts": {status.value: number for status, number in progress.counts.items()},
            "reasons": progress.reasons,
            "failures": [TargetRow.of(progress.rollout, target) for target in progress.failures],
        }
    )


class RolloutsQuery(Document):
    """The query of ``listRolloutsPublic``. ``cursor`` is the ``next`` of the page before."""

    project_id: str = Field(min_length=1)
    cursor: int | None = None
    limit: int = Field(default=50, ge=1)


class Rollouts(Document):
    """Rollouts, the newest first; ``next`` is there when older ones follow."""

    rollouts: list[RolloutRow]
    next: int | None = None


@endpoint(
    "GET",
    "listRolloutsPublic",
    access=_READERS,
    envelope=Envelope.DATA,
    request=RolloutsQuery,
    response=Rollouts,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_rollouts_public(call: Call[RolloutsQuery]) -> Rollouts:
    """List the rollouts of a project, the newest first."""
    query = call.body
    size = min(query.limit, MOST)
    found = await rollouts_of(call.platform, call.caller, query.project_id, size + 1, query.cursor)
    rows = [
        RolloutRow.model_validate(RolloutRow.fields_of(one.ref.path.rpartition("/")[2], one.value))
        for one in found[:size]
    ]
    return Rollouts(rollouts=rows, next=rows[-1].number if len(found) > size else None)


class TargetsQuery(Document):
    """The query of ``listRolloutTargetsPublic``. ``cursor`` is the ``next`` of the page before."""

    rollout_id: str = Field(min_length=1)
    status: TargetStatus | None = None
    cursor: str | None = None
    limit: int = Field(default=50, ge=1)


class Targets(Document):
    """Installations in a rollout, the oldest first; ``next`` is there when more follow."""

    targets: list[TargetRow]
    next: str | None = None


@endpoint(
    "GET",
    "listRolloutTargetsPublic",
    access=_READERS,
    envelope=Envelope.DATA,
    request=TargetsQuery,
    response=Targets,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_rollout_targets_public(call: Call[TargetsQuery]) -> Targets:
    """List the installations in a rollout, those of one status if asked for."""
    query = call.body
    size = min(query.limit, MOST)
    rollout, found = await targets_of(
        call.platform,
        call.caller,
        query.rollout_id,
        status=query.status,
        after=query.cursor,
        limit=size + 1,
    )
    rows = [TargetRow.of(rollout, target) for target in found[:size]]
    return Targets(targets=rows, next=rows[-1].process_instance_id if len(found) > size else None)


class RolloutNamed(Document):
    """A body that names a rollout."""

    rollout_id: str = Field(min_length=1)


class RolloutState(Document):
    """A rollout after it was stopped or resumed."""

    rollout_id: str
    status: str


@endpoint(
    "POST",
    "cancelRolloutPublic",
    access=_PUBLISHERS,
    envelope=Envelope.DATA,
    request=RolloutNamed,
    response=RolloutState,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def cancel_rollout_public(call: Call[RolloutNamed]) -> RolloutState:
    """Let a rollout begin no more updates; those that go on end."""
    rollout_id = call.body.rollout_id
    return RolloutState(
        rollout_id=rollout_id, status=await cancel_rollout(call.platform, call.caller, rollout_id)
    )


@endpoint(
    "POST",
    "resumeRolloutPublic",
    access=_PUBLISHERS,
    envelope=Envelope.DATA,
    request=RolloutNamed,
    response=RolloutState,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def resume_rollout_public(call: Call[RolloutNamed]) -> RolloutState:
    """Try again what failed or was cancelled, and look for installations that are not in it yet."""
    rollout_id = call.body.rollout_id
    return RolloutState(
        rollout_id=rollout_id, status=await resume_rollout(call.platform, call.caller, rollout_id)
    )


class Outcome(Document):
    """What the handler did, for the log."""

    outcome: str


class PlanOrder(Document):
    """The body of a planning task: the page of installations after one of them."""

    rollout_id: str
    attempt: int
    after: str | None = None


@endpoint(
    "POST",
    "planRollout",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=PlanOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=120,
)
async def plan_rollout(call: Call[PlanOrder]) -> Outcome:
    """Find a page of the installations a rollout is for."""
    order, deliveries = call.body, call.deliveries
    outcome = await plan(call.platform, order.rollout_id, order.attempt, order.after, deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class TargetOrder(Document):
    """The body of the task of one installation."""

    rollout_id: str
    process_instance_id: str


@endpoint(
    "POST",
    "updateInstallation",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=TargetOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=540,
    memory_mebibytes=512,
    concurrency=20,
)
async def update_installation(call: Call[TargetOrder]) -> Outcome:
    """Bring one installation to a rollout's version."""
    order, deliveries = call.body, call.deliveries
    outcome = await update_target(call.platform, order.rollout_id, order.process_instance_id, deliveries)
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)


class CloseOrder(Document):
    """The body of a closing task; without a ``turn`` no other one follows."""

    rollout_id: str
    attempt: int
    turn: int | None = None
    stalls: int = 0
    left: int = -1


@endpoint(
    "POST",
    "closeRollout",
    access=TaskCall(),
    envelope=Envelope.DATA,
    request=CloseOrder,
    response=Outcome,
    errors=(Unauthorized, UpstreamError),
    timeout_seconds=300,
)
async def close_rollout(call: Call[CloseOrder]) -> Outcome:
    """Complete a rollout, or look again later."""
    order = call.body
    outcome = await close(
        call.platform, order.rollout_id, order.attempt, order.turn, order.stalls, order.left
    )
    call.notes["outcome"] = outcome
    return Outcome(outcome=outcome)

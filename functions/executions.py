"""Listing runs: of one installation, and of an organization (api §5.24)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field

from shared.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.executions.errors.kinds import ErrorType
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.execution import ExecutionStatus, ListedRun
from shared.model.instance import Environment
from shared.model.scopes import Scope
from shared.services.runs.filters import Filters
from shared.services.runs.list import list_organization_runs, list_runs
from shared.store import refs
from shared.store.refs import Ref

W = TypeVar("W", bound=StrEnum)

Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A moment with its time zone."""


class RunsQuery(Document):
    """The query of ``listExecutionsPublic``; its parts combine. ``limit`` above 100 counts as 100.

    ``since`` is included, ``until`` is not; both are ISO-8601 with a time zone. ``cursor`` is the
    ``nextCursor`` of the page before.
    """

    workflow_id: str | None = None
    status: str | None = None
    trigger_type: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: str | None = None
    limit: int = Field(default=20, ge=1)

    def filters(self, environment: Environment | None = None) -> Filters:
        """Return the conditions asked for.

        Raises:
            InvalidRequest: there is no such state, or no such type of error.
        """
        return Filters(
            workflow_id=self.workflow_id or None,
            status=_one_of(ExecutionStatus, self.status, "status"),
            trigger_type=self.trigger_type or None,
            environment=environment,
            error_type=_one_of(ErrorType, self.error_type, "errorType"),
            error_code=self.error_code or None,
            since=self.since,
            until=self.until,
            cursor=self.cursor or None,
        )


def _one_of(words: type[W], named: str | None, field: str) -> W | None:
    if not named:
        return None
    if named not in list(words):
        known = ", ".join(word.value for word in words)
        raise InvalidRequest(f"There is no {field} {named}. Use one of: {known}.", field=field)
    return words(named)


class ListedError(Document):
    """Why a run failed, in short."""

    message: str = "The run failed without a message."
    failed_node_name: str | None = None


class RunRow(Document):
    """A run as lists show it. ``duration`` is in milliseconds."""

    execution_id: str
    workflow_id: str
    trigger_id: str
    status: str
    created_at: Timestamp
    duration: int | None = None
    n8n_execution_id: str | None = None
    error_details: ListedError | None = None

    @classmethod
    def of(cls, run: ListedRun) -> Self:
        """Return the row of a run."""
        failed = run.status is ExecutionStatus.FAILED
        error = ListedError.model_validate(run.error_details or {}) if failed else None
        return cls.model_validate({**dict(run), "error_details": error})


class Runs(Document):
    """Runs, the newest first. ``count`` is how many there are in this answer.

    ``next_cursor`` is there when older ones follow, to be sent as ``cursor``.
    """

    executions: list[RunRow]
    count: int
    process_instance_id: str
    next_cursor: str | None = None


def _instance_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.instance(params["processInstanceId"]),)


@endpoint(
    "GET",
    "listExecutionsPublic",
    "processInstanceId",
    access=keys(O, P, A, scopes=(Scope.EXECUTIONS_READ,)),
    envelope=Envelope.DATA,
    request=RunsQuery,
    response=Runs,
    prefetch=_instance_of,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_executions_public(call: Call[RunsQuery]) -> Runs:
    """List the newest runs of an installation, at most 100, without what they were given or returned."""
    instance, query = call.params["processInstanceId"], call.body
    (found,) = call.prefetched
    page = await list_runs(call.platform, call.caller, instance, found, query.filters(), query.limit)
    rows = [RunRow.of(run) for run in page.runs]
    return Runs(executions=rows, count=len(rows), process_instance_id=instance, next_cursor=page.following)


class OrganizationRunsQuery(RunsQuery):
    """The query of ``listOrganizationExecutions``."""

    organization_id: str | None = None
    environment: str | None = None


class OrganizationRunRow(RunRow):
    """A run, and whose it is."""

    process_instance_id: str
    environment: str
    trigger_type: str


class OrganizationRuns(Document):
    """Runs of an organization, the newest first; ``next_cursor`` is there when older ones follow."""

    executions: list[OrganizationRunRow]
    count: int
    organization_id: str
    next_cursor: str | None = None


@endpoint(
    "GET",
    "listOrganizationExecutions",
    access=keys(O, P, A, scopes=(Scope.EXECUTIONS_READ,)),
    envelope=Envelope.DATA,
    request=OrganizationRunsQuery,
    response=OrganizationRuns,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_organization_executions(call: Call[OrganizationRunsQuery]) -> OrganizationRuns:
    """List the newest runs of all installations of an organization, for those who manage it."""
    query = call.body
    filters = query.filters(_one_of(Environment, query.environment, "environment"))
    organization_id, page = await list_organization_runs(
        call.platform, call.caller, query.organization_id, filters, query.limit
    )
    rows = [OrganizationRunRow.of(run) for run in page.runs]
    return OrganizationRuns(
        executions=rows, count=len(rows), organization_id=organization_id, next_cursor=page.following
    )

"""Which runs a list has, and where its next page begins."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import orjson

from shared.errors import InvalidRequest
from shared.model.execution import ExecutionStatus, ListedRun
from shared.model.instance import Environment
from shared.store.query import Query

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_CURSOR = 300


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that combine; ``None`` asks for nothing. ``since`` is included, ``until`` is not."""

    workflow_id: str | None = None
    status: ExecutionStatus | None = None
    trigger_type: str | None = None
    environment: Environment | None = None
    error_type: str | None = None
    error_code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None

    def applied(self, query: Query[ListedRun]) -> Query[ListedRun]:
        """Return the query with these conditions."""
        equal = {
            "workflow_id": self.workflow_id,
            "status": self.status,
            "trigger_type": self.trigger_type,
            "environment": self.environment,
            "error_details.type": self.error_type,
            "error_details.code": self.error_code,
        }
        for name, value in equal.items():
            if value:
                query = query.where(name, "==", str(value))
        if self.since is not None:
            query = query.where("created_at", ">=", self.since)
        if self.until is not None:
            query = query.where("created_at", "<", self.until)
        return query

    def digest(self, owner: str) -> str:
        """Return what tells this list from the others: whose it is, and its conditions."""
        conditions = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "cursor"
        }
        text = orjson.dumps([owner, conditions])
        return hashlib.sha256(text).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last run of a page. Runs that come meanwhile are newer, and do not shift what follows.

    It is checked, not signed: whatever it says, it continues a list its caller may see.
    """

    created_at: datetime
    process_instance_id: str
    execution_id: str

    def text(self, list_id: str) -> str:
        """Return the cursor as callers hold it."""
        moment = (self.created_at - _EPOCH) // _MICROSECOND
        parts = orjson.dumps([list_id, moment, self.process_instance_id, self.execution_id])
        return urlsafe_b64encode(parts).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, list_id: str) -> Cursor:
        """Return the cursor in a text.

        Raises:
            InvalidRequest: it is none of ours, or belongs to another list.
        """
        try:
            if len(text) > _LONGEST_CURSOR:
                raise ValueError("too long")
            parts = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            found_id, moment, instance, execution = parts
            if (
                found_id != list_id
                or type(moment) is not int
                or not all(isinstance(one, str) for one in (instance, execution))
            ):
                raise ValueError("of another list")
            return cls(_EPOCH + moment * _MICROSECOND, instance, execution)
        except (ValueError, TypeError, OverflowError):
            raise InvalidRequest(
                "The cursor does not belong to this list. Send the nextCursor of the page before, with "
                "the same filters, or leave it out to begin anew.",
                field="cursor",
            ) from None

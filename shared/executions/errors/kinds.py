"""The words of the error table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class ErrorType(StrEnum):
    """The five kinds of failure (decision 12)."""

    NODE_FAILURE = "node_failure"
    VALIDATION_ERROR = "validation_error"
    EXTERNAL_API_ERROR = "external_api_error"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, word: object) -> ErrorType:
        """Return the type a workflow stated; whatever is no type of ours is ``unknown``."""
        return next((kind for kind in cls if kind == word), cls.UNKNOWN)


class Action(StrEnum):
    """What helps."""

    RETRY = "retry"
    FIX_WORKFLOW = "fix_workflow"
    FIX_INPUT = "fix_input"
    RECONNECT_INTEGRATION = "reconnect_integration"
    CHECK_SERVICE_ACCOUNT = "check_service_account"
    RERUN_DEPLOYMENT = "rerun_deployment"
    ACTIVATE_INSTANCE = "activate_instance"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a class of errors is recognised: any one of these.

    ``text`` is looked for in names, messages, descriptions and codes; ``names`` are error classes of n8n,
    ``node_types`` the types of the node that failed, ``ended`` how n8n says the run ended.
    """

    text: re.Pattern[str] | None = None
    names: frozenset[str] = frozenset()
    statuses: range | tuple[int, ...] = ()
    node_types: frozenset[str] = frozenset()
    ended: str | None = None
    node_known: bool = False


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One row of the table. ``retryable``: the same call may well succeed if it is made again later.

    ``hint`` says what to do, in words. What only the platform says of a run has no ``signs``.
    """

    code: str
    type: ErrorType
    meaning: str
    hint: str
    action: Action
    retryable: bool = False
    signs: Signs | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an error, whatever reported it."""

    text: str = ""
    name: str | None = None
    status: int | None = None
    node_type: str | None = None
    node_known: bool = False
    ended: str | None = None

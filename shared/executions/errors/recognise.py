"""Find an error's class in the table. Total: whatever is known of an error, it has one."""

from __future__ import annotations

from shared.executions.errors.kinds import ErrorClass, ErrorType, Evidence, Signs
from shared.executions.errors.table import TABLE, UNCLASSIFIED

BY_CODE = {known.code: known for known in TABLE}

_STATED = {
    ErrorType.NODE_FAILURE: BY_CODE["NODE_FAILED"],
    ErrorType.VALIDATION_ERROR: BY_CODE["VALIDATION_FAILED"],
    ErrorType.EXTERNAL_API_ERROR: BY_CODE["SERVICE_ERROR"],
    ErrorType.TIMEOUT: BY_CODE["REPORTED_TIMEOUT"],
    ErrorType.UNKNOWN: UNCLASSIFIED,
}


def class_of(evidence: Evidence) -> ErrorClass:
    """Return the class of an error that n8n tells of."""
    return next((known for known in TABLE if known.signs and _fits(known.signs, evidence)), UNCLASSIFIED)


def class_of_stated(kind: ErrorType, message: str) -> ErrorClass:
    """Return the class of an error whose type a workflow states: one of that type, by its words."""
    guessed = class_of(Evidence(text=message))
    return guessed if guessed.type is kind and guessed is not UNCLASSIFIED else _STATED[kind]


def class_with(code: str | None, kind: ErrorType) -> ErrorClass:
    """Return the class of a recorded error; an author's own code counts as what its type says."""
    return BY_CODE.get(code or "", _STATED[kind])


def _fits(signs: Signs, evidence: Evidence) -> bool:
    return (
        (signs.ended is not None and signs.ended == evidence.ended)
        or (evidence.name is not None and evidence.name in signs.names)
        or (evidence.status is not None and evidence.status in signs.statuses)
        or (evidence.node_type is not None and evidence.node_type in signs.node_types)
        or (signs.node_known and evidence.node_known)
        or (signs.text is not None and signs.text.search(evidence.text) is not None)
    )

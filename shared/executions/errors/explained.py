"""A recorded error as a caller is shown it, with what to do about it (api §5.23)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from shared.executions.errors.kinds import Action, ErrorType
from shared.executions.errors.recognise import class_with
from shared.model.document import Document


class ExplainedError(Document):
    """Why a run failed. ``retryable``: started again as it was, it may well succeed."""

    type: str
    message: str
    code: str | None = None
    failed_node_name: str | None = None
    hint: str
    action: Action
    retryable: bool

    @classmethod
    def of(cls, recorded: Mapping[str, object]) -> Self:
        """Return a recorded ``errorDetails`` with its hint."""
        kind, code = ErrorType.of(recorded.get("type")), recorded.get("code")
        known = class_with(code if isinstance(code, str) else None, kind)
        message = str(recorded.get("message") or "The run failed without a message.")
        return cls.model_validate(
            {
                **recorded,
                "type": kind,
                "message": message,
                "hint": known.hint,
                "action": known.action,
                "retryable": known.retryable,
            }
        )

"""Why a placeholder could not be replaced. Collected, not raised: a caller wants to name them all."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.tokens import Scope


@dataclass(frozen=True, slots=True)
class MissingIntegration:
    """An integration is not connected where the scope looks for it (platform §6.1)."""

    integration_id: str
    scope: Scope

    def __str__(self) -> str:
        return f"integration '{self.integration_id}' is not connected"


@dataclass(frozen=True, slots=True)
class MissingParameter:
    """A required deployment parameter has no value (platform §6.2)."""

    key: str

    def __str__(self) -> str:
        return f"deployment parameter '{self.key}' is required and has no value"


@dataclass(frozen=True, slots=True)
class UnresolvedSubworkflow:
    """The sibling is unknown, or not deployed yet."""

    template_id: str

    def __str__(self) -> str:
        return f"sub-workflow '{self.template_id}' is not part of this deployment"


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """The scope has no such key."""

    scope: Scope
    key: str

    def __str__(self) -> str:
        return f"placeholder {self.scope.placeholder(self.key)} has no value"


@dataclass(frozen=True, slots=True)
class UnsafeValue:
    """The value would change the meaning of the text around it (open an n8n expression, say)."""

    scope: Scope
    key: str

    def __str__(self) -> str:
        return f"the value of placeholder {self.scope.placeholder(self.key)} cannot be inserted safely"


@dataclass(frozen=True, slots=True)
class MalformedPlaceholder:
    """The template holds something that starts like a placeholder but is none."""

    text: str

    def __str__(self) -> str:
        return f"'{self.text}' is not a valid placeholder"


Problem = (
    MissingIntegration
    | MissingParameter
    | UnresolvedSubworkflow
    | UnknownKey
    | UnsafeValue
    | MalformedPlaceholder
)

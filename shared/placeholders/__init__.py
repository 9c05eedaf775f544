"""The placeholder language: parse, resolve, serialise. Pure (types §13, platform §6)."""

from shared.model.tokens import Scope, Token, find
from shared.placeholders.document import parses_with_nulls, resolve_workflow
from shared.placeholders.insertion import inert
from shared.placeholders.lookup import canonical, integration_of, meant
from shared.placeholders.problems import (
    MalformedPlaceholder,
    MissingIntegration,
    MissingParameter,
    Problem,
    UnknownKey,
    UnresolvedSubworkflow,
    UnsafeValue,
)
from shared.placeholders.resolve import Resolution, resolve
from shared.placeholders.values import Credential, Values

__all__ = [
    "Credential",
    "MalformedPlaceholder",
    "MissingIntegration",
    "MissingParameter",
    "Problem",
    "Resolution",
    "Scope",
    "Token",
    "UnknownKey",
    "UnresolvedSubworkflow",
    "UnsafeValue",
    "Values",
    "canonical",
    "find",
    "inert",
    "integration_of",
    "meant",
    "parses_with_nulls",
    "resolve",
    "resolve_workflow",
]

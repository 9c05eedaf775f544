"""A workflow file as a document, before and after its placeholders are replaced."""

from __future__ import annotations

from shared.errors import InvalidWorkflowJson
from shared.model.configuration.workflow_text import parse
from shared.model.tokens import with_nulls
from shared.placeholders.resolve import Resolution, resolve
from shared.placeholders.values import Values


def parses_with_nulls(text: str) -> bool:
    """Return whether the text is a workflow once value-position placeholders are ``null``.

    The early check: it needs no values.
    """
    try:
        parse(with_nulls(text), "")
    except InvalidWorkflowJson:
        return False
    return True


def resolve_workflow(
    text: str, values: Values, name: str, index: int | None = None
) -> tuple[dict[str, object] | None, Resolution]:
    """Return the resolved workflow document and the resolution; no document while there are problems.

    Raises :class:`InvalidWorkflowJson` with the workflow's name and index when the result is no workflow.
    """
    resolution = resolve(text, values)
    if resolution.problems:
        return None, resolution
    return parse(resolution.text, name, index), resolution

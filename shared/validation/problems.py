"""What is wrong with a configuration, and where: ``workflows[1].triggers[0].cronExpression``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.errors import InvalidRequest

_SHOWN = 10
# pydantic puts the chosen member of a union into the path; none of these is a field's name.
_UNION_MEMBERS = frozenset(
    {"http", "schedule", "service_event", "subworkflow", "data_ingestion"}
    | {"string", "text", "number", "boolean", "date", "select", "radio", "multiselect", "file"}
    | {"array", "object", "objectArray", "section", "str", "int", "float", "bool"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule. ``index`` is that of the list element the path starts with, if it does."""

    field: str
    reason: str
    index: int | None = None

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


def problem(path: Sequence[str | int], reason: str) -> Problem:
    """Return a problem at a path of keys and list indexes."""
    index = next((part for part in path if isinstance(part, int)), None)
    return Problem(dotted(path), reason, index)


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as an author writes it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def of_pydantic(error: ValidationError, prefix: Sequence[str | int] = ()) -> Iterator[Problem]:
    """Yield what pydantic found, one problem a path, without the offending values."""
    seen: set[str] = set()
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = [*prefix, *(part for part in item["loc"] if part not in _UNION_MEMBERS)]
        if item["type"].startswith("union_tag"):
            path.append("type")
        found = problem(path, _reason(item["type"], item["msg"]))
        if found.field not in seen:
            seen.add(found.field)
            yield found


def _reason(kind: str, message: str) -> str:
    if kind in ("missing", "union_tag_not_found"):
        return "is required"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind == "union_tag_invalid":
        return "must be one of " + message.partition("expected tags: ")[2]
    return message.replace("Input should", "should").replace("Input", "it")


def refuse(error: type[InvalidRequest], subject: str, found: Sequence[Problem]) -> None:
    """Raise the error for the problems, the first one in its details; return when there are none."""
    if not found:
        return
    named = "; ".join(str(item) for item in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    first = found[0]
    raise error(
        f"{subject}: {named}{more}.", field=first.field or None, reason=first.reason, index=first.index
    )

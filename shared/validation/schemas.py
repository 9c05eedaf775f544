"""Rules of form schemas that a single field cannot see (types §14.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.model.configuration import FormField, Section, fields_of
from shared.model.configuration.fields import (
    ArrayValue,
    ChoiceValue,
    FileValue,
    MultiChoiceValue,
    ObjectArrayValue,
    ObjectValue,
    TextValue,
)
from shared.validation.patterns import Invalid, compiled
from shared.validation.problems import Problem, problem

Path = tuple[str | int, ...]
Schema = Iterable[FormField | Section]
_DEEPEST = 16


def check_form(schema: Schema, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with a trigger's input or a workflow's output schema."""
    return _check(schema, path, deployment=False, depth=0)


def check_deployment_form(schema: Schema, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with a deployment schema: no files; ``itemField`` may be absent (types §6)."""
    return _check(schema, path, deployment=True, depth=0)


def _check(schema: Schema, path: Path, *, deployment: bool, depth: int) -> Iterator[Problem]:
    if depth > _DEEPEST:
        yield problem(path, f"is nested more than {_DEEPEST} levels deep")
        return
    items = list(schema)
    yield from _repeated_keys(items, path)
    for index, item in enumerate(items):
        here = (*path, index)
        if isinstance(item, Section):
            # Its keys belong to this level and were counted above.
            inner = _check(item.members, (*here, "inputSchema"), deployment=deployment, depth=depth + 1)
            yield from (found for found in inner if found.reason != _REPEATED)
        else:
            yield from _check_field(item, here, deployment=deployment, depth=depth)


_REPEATED = "is used twice on this level"


def _repeated_keys(items: list[FormField | Section], path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        for field in fields_of([item]):
            if field.key in seen:
                yield problem((*path, index, "key"), _REPEATED)
            seen.add(field.key)


def _check_field(field: FormField, path: Path, *, deployment: bool, depth: int) -> Iterator[Problem]:
    match field:
        case FileValue() if deployment:
            yield problem((*path, "type"), "must not be file in a deployment schema")
        case ArrayValue() if field.item_field is None and not deployment:
            yield problem((*path, "itemField"), "is required")
        case ChoiceValue() | MultiChoiceValue() if not field.options:
            yield problem((*path, "options"), "must not be empty")
        case TextValue():
            yield from _check_pattern(field, path)
        case ObjectValue():
            yield from _check(field.members, (*path, "schema"), deployment=deployment, depth=depth + 1)
        case ObjectArrayValue():
            yield from _check(field.members, (*path, "itemSchema"), deployment=deployment, depth=depth + 1)


def _check_pattern(field: TextValue, path: Path) -> Iterator[Problem]:
    if field.regex:
        try:
            compiled(field.regex)
        except Invalid as error:
            yield problem((*path, "regex"), f"is not a regular expression ({error})")

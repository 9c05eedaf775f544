"""Whether a value fits a field: type, limits, pattern, options (types §5)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from shared.model.configuration import FormField, Section, fields_of
from shared.model.configuration.fields import (
    ArrayValue,
    BooleanValue,
    ChoiceValue,
    DateValue,
    FileValue,
    ItemValue,
    MultiChoiceValue,
    NumberValue,
    ObjectArrayValue,
    ObjectValue,
    TextValue,
)
from shared.validation.patterns import Exhausted, Invalid, Matcher
from shared.validation.problems import Problem, problem

Path = tuple[str | int, ...]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ValueCheck:
    """Checks the values of one payload or parameter map; yields a problem for each that does not fit."""

    def __init__(self) -> None:
        self._matcher = Matcher()

    def members(
        self, schema: Iterable[FormField | Section], values: Mapping[str, object], path: Path = ()
    ) -> Iterator[Problem]:
        """Check an object against a schema: required fields first of all; unknown keys pass."""
        for field in fields_of(schema):
            here = (*path, field.key)
            value = values.get(field.key)
            if is_empty(value):
                if field.required:
                    yield problem(here, "is required")
                elif not _may_be_left_empty(field, value):
                    yield from self.value(field, value, here)
            else:
                yield from self.value(field, value, here)

    def value(self, field: FormField | ItemValue, value: object, path: Path) -> Iterator[Problem]:
        """Check one value, whatever its field is called."""
        match field:
            case TextValue():
                yield from self._text(field, value, path)
            case NumberValue():
                yield from _number(field, value, path)
            case BooleanValue():
                yield from _typed(value, bool, "must be true or false", path)
            case DateValue():
                yield from _day(field, value, path)
            case ChoiceValue():
                if not _is_option(value, field):
                    yield problem(path, f"must be one of {_options(field)}")
            case MultiChoiceValue():
                yield from _choices(field, value, path)
            case FileValue():
                if not isinstance(value, str | Mapping):
                    yield problem(path, "must be a file id or an uploaded file")
            case ArrayValue():
                yield from self._list(field.item_field, value, path)
                yield from _count(value, field.min_items, field.max_items, "items", path)
            case ObjectValue():
                yield from self._object(field.members, value, path)
            case ObjectArrayValue():
                yield from self._objects(field, value, path)

    def _text(self, field: TextValue, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield problem(path, "must be text")
            return
        length = _js_length(value)
        if field.min_length is not None and length < field.min_length:
            yield problem(path, f"must have at least {field.min_length} characters")
        elif field.max_length is not None and length > field.max_length:
            yield problem(path, f"must have at most {field.max_length} characters")
        elif field.regex:
            yield from self._pattern(field.regex, field.regex_error, value, path)

    def _pattern(self, pattern: str, said: str | None, value: str, path: Path) -> Iterator[Problem]:
        try:
            if not self._matcher.matches(pattern, value):
                yield problem(path, f"is not valid ({said})" if said else f"must match {pattern}")
        except Exhausted:
            yield problem(path, "could not be checked against its pattern in time")
        except Invalid:
            return  # Refused when the use case is deployed; an older one must not lose all its triggers.

    def _list(self, item: ItemValue | None, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield problem(path, "must be a list")
            return
        expected: ItemValue = item or TextValue(type="string")
        for index, member in enumerate(value):
            yield from self.value(expected, member, (*path, index))

    def _object(self, schema: Iterable[FormField | Section], value: object, path: Path) -> Iterator[Problem]:
        if isinstance(value, Mapping):
            yield from self.members(schema, value, path)
        else:
            yield problem(path, "must be an object")

    def _objects(self, field: ObjectArrayValue, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield problem(path, "must be a list of objects")
            return
        for index, member in enumerate(value):
            yield from self._object(field.members, member, (*path, index))
        yield from _count(value, field.min_items, field.max_items, "items", path)


def is_empty(value: object) -> bool:
    """Return whether a value counts as not given: null, empty text, empty list, empty object."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _may_be_left_empty(field: FormField, value: object) -> bool:
    """Null is always an absent value; so is the empty text or list of a form field left alone."""
    if value is None:
        return True
    if value == []:
        return isinstance(field, MultiChoiceValue | ArrayValue | ObjectArrayValue)
    return value == "" and isinstance(field, TextValue | DateValue | ChoiceValue | FileValue)


def _typed(value: object, kind: type, reason: str, path: Path) -> Iterator[Problem]:
    if not isinstance(value, kind):
        yield problem(path, reason)


def _number(field: NumberValue, value: object, path: Path) -> Iterator[Problem]:
    # Python calls True an int; a form does not.
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        yield problem(path, "must be a number")
    elif field.number_type == "integer" and value != int(value):
        yield problem(path, "must be a whole number")
    elif field.min is not None and value < field.min:
        yield problem(path, f"must be at least {field.min:g}")
    elif field.max is not None and value > field.max:
        yield problem(path, f"must be at most {field.max:g}")


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _day(field: DateValue, value: object, path: Path) -> Iterator[Problem]:
    day = parsed_day(value)
    if day is None:
        yield problem(path, "must be a date like 2026-04-30")
        return
    earliest, latest = parsed_day(field.min_date), parsed_day(field.max_date)
    if earliest and day < earliest:
        yield problem(path, f"must not be before {earliest}")
    if latest and day > latest:
        yield problem(path, f"must not be after {latest}")


def parsed_day(value: object) -> date | None:
    """Return the day a ``YYYY-MM-DD`` text means, or ``None``."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _is_option(value: object, field: ChoiceValue | MultiChoiceValue) -> bool:
    return any(type(value) is type(option.value) and value == option.value for option in field.options)


def _options(field: ChoiceValue | MultiChoiceValue) -> str:
    return ", ".join(str(option.value) for option in field.options[:20])


def _choices(field: MultiChoiceValue, value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield problem(path, "must be a list")
        return
    for index, member in enumerate(value):
        if not _is_option(member, field):
            yield problem((*path, index), f"must be one of {_options(field)}")
    yield from _count(value, field.min_selections, field.max_selections, "selections", path)


def _count(value: object, fewest: int | None, most: int | None, what: str, path: Path) -> Iterator[Problem]:
    if not isinstance(value, Sequence):
        return
    if fewest is not None and len(value) < fewest:
        yield problem(path, f"must have at least {fewest} {what}")
    elif most is not None and len(value) > most:
        yield problem(path, f"must have at most {most} {what}")


def _js_length(text: str) -> int:
    """Return the length JavaScript forms count: UTF-16 units."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)

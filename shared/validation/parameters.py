"""Deployment parameters: from what a caller gave to what an installation uses (types §6)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

from shared.errors import InvalidRequest
from shared.model.configuration import FormField, Section, fields_of
from shared.model.configuration.fields import (
    ArrayField,
    BooleanField,
    MultiChoiceField,
    NumberField,
    ObjectArrayField,
    ObjectField,
)
from shared.validation.problems import Problem, refuse
from shared.validation.values import ValueCheck, is_empty

Schema = Sequence[FormField | Section]
_BOOLEANS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?")


def coerce_parameters(schema: Schema, values: Mapping[str, object]) -> dict[str, object]:
    """Return given parameters in their declared types; ``null`` unsets one.

    Texts become numbers, booleans, lists and objects where declared so: a command line only has texts.
    Raises :class:`InvalidRequest` naming every unknown parameter and every value that does not fit.
    """
    fields = {field.key: field for field in fields_of(schema)}
    found = [
        Problem(f"deploymentParameters.{key}", "is not a parameter of this process")
        for key in values
        if key not in fields
    ]
    coerced = {key: _coerced(fields[key], value) for key, value in values.items() if key in fields}
    check = ValueCheck()
    for key, value in coerced.items():
        if is_empty(value) and fields[key].required:
            found.append(Problem(f"deploymentParameters.{key}", "is required"))
        elif value is not None:
            found += check.value(fields[key], value, ("deploymentParameters", key))
    refuse(InvalidRequest, "The deployment parameters are not valid", found)
    return coerced


def _coerced(field: FormField, value: object) -> object:
    """Return the value in the field's type, or unchanged when the text means no such value."""
    if not isinstance(value, str):
        return value
    match field:
        case NumberField():
            return _as_number(value)
        case BooleanField():
            return _BOOLEANS.get(value.strip().lower(), value)
        case MultiChoiceField() | ArrayField() | ObjectField() | ObjectArrayField():
            return _as_json(value)
    return value


def _as_number(text: str) -> object:
    if not _NUMBER.fullmatch(text.strip()):
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    return number if "." in text or "e" in text.lower() else int(text)


def _as_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def effective_parameters(
    schema: Schema, defaults: Mapping[str, object], stored: Mapping[str, object]
) -> dict[str, object]:
    """Return what an installation uses: stored, else the author's default, else the field's.

    A declared parameter without any value is absent; stored values of parameters the use case no longer
    declares are left out (types §6).
    """
    effective: dict[str, object] = {}
    for field in fields_of(schema):
        candidates = (stored.get(field.key), defaults.get(field.key), getattr(field, "default_value", None))
        chosen = next((value for value in candidates if value is not None), None)
        if chosen is not None:
            effective[field.key] = chosen
    return effective


def missing_parameters(schema: Schema, effective: Mapping[str, object]) -> list[str]:
    """Return the keys of required parameters without a value, in order of declaration."""
    return [field.key for field in fields_of(schema) if field.required and is_empty(effective.get(field.key))]

"""A trigger's payload against its input schema, before anything is created (decision 13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from shared.errors import InvalidPayload
from shared.model.configuration import FormField, Section
from shared.validation.problems import Problem, refuse
from shared.validation.values import ValueCheck

_SUBJECT = "The payload does not fit the input schema"
_MOST = 100


def validate_payload(schema: Sequence[FormField | Section], payload: object) -> None:
    """Return when the payload fits; unknown extra fields pass.

    Raises :class:`InvalidPayload` whose message names every offending field, nested ones by path
    (``items[2].name``). A trigger without a schema accepts anything: do not call this for it.
    """
    if not isinstance(payload, Mapping):
        refuse(InvalidPayload, _SUBJECT, [Problem("payload", "must be an object")])
        return
    found = list(islice(ValueCheck().members(schema, payload), _MOST))
    if found:
        named = "; ".join(str(item) for item in found)
        fields = ", ".join(item.field for item in found)
        raise InvalidPayload(f"{_SUBJECT}: {named}.", field=fields, reason=named)

"""Differences of the deployment parameters, and which of them an installation cannot follow by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.ensemble.difference.values import Change, Kind, changes
from shared.model.document import Document

Json = Mapping[str, object]


class ParameterChange(Document):
    """A deployment parameter that differs. ``breaking``: installations have to be given, or lose, a value."""

    key: str
    kind: Kind
    breaking: bool = False
    changes: list[Change] = []


def parameter_changes(before: Json, after: Json) -> list[ParameterChange]:
    """Return the parameters that differ between two configurations."""
    old, new = _fields(before), _fields(after)
    defaults = (_defaults(before), _defaults(after))
    found: list[ParameterChange] = []
    for key, field in new.items():
        known = old.get(key)
        if known is None:
            found.append(
                ParameterChange(key=key, kind=Kind.ADDED, breaking=_must_be_given(field, defaults[1]))
            )
        elif differing := [*changes(known, field), *_default_change(key, *defaults)]:
            breaking = known.get("type") != field.get("type") or (
                _must_be_given(field, defaults[1]) and not _must_be_given(known, defaults[0])
            )
            found.append(ParameterChange(key=key, kind=Kind.CHANGED, breaking=breaking, changes=differing))
    gone = [ParameterChange(key=key, kind=Kind.REMOVED, breaking=True) for key in old if key not in new]
    return [*found, *gone]


def _default_change(key: str, before: Json, after: Json) -> list[Change]:
    return [
        change.model_copy(update={"path": "/defaultDeploymentParameters"})
        for change in changes(
            {k: before[k] for k in [key] if k in before}, {k: after[k] for k in [key] if k in after}
        )
    ][:1]


def _must_be_given(field: Json, defaults: Json) -> bool:
    has_default = field.get("defaultValue") is not None or defaults.get(str(field.get("key"))) is not None
    return field.get("required") is True and not has_default


def _defaults(configuration: Json) -> Json:
    given = configuration.get("defaultDeploymentParameters")
    return given if isinstance(given, Mapping) else {}


def _fields(configuration: Json) -> dict[str, Json]:
    return {str(field.get("key")): field for field in _flat(configuration.get("deploymentInputSchema"))}


def _flat(items: object) -> Iterator[Json]:
    """Yield the fields of a schema, those in sections too."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            if item.get("type") == "section":
                yield from _flat(item.get("inputSchema"))
            else:
                yield item

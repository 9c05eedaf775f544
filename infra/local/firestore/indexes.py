"""Indexes as declared: composite ones, and the rules of single fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from infra.local.firestore import fields as field_paths


class Scope(StrEnum):
    """What an index covers: one collection, or all collections with the same id."""

    COLLECTION = "COLLECTION"
    COLLECTION_GROUP = "COLLECTION_GROUP"


class Mode(StrEnum):
    """How a field is indexed."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"
    CONTAINS = "CONTAINS"
    VECTOR = "VECTOR"


@dataclass(frozen=True, slots=True)
class Component:
    """One column of a composite index; ``path`` is canonical."""

    path: str
    mode: Mode

    @property
    def descending(self) -> bool:
        """Whether the column sorts downwards."""
        return self.mode is Mode.DESCENDING


@dataclass(frozen=True, slots=True)
class CompositeIndex:
    """A declared index. Its last component is always the document name."""

    group: str
    scope: Scope
    components: tuple[Component, ...]

    @property
    def searchable(self) -> bool:
        """Whether queries can use it: vector indexes are accepted, but nothing is kept for them."""
        return all(part.mode is not Mode.VECTOR for part in self.components)

    @property
    def identity(self) -> str:
        """Equal for equal indexes, whatever the order of declaration."""
        columns = ",".join(f"{part.path} {part.mode}" for part in self.components)
        return f"{self.scope}:{columns}"


class Kept(NamedTuple):
    """Which index entries a field has within one scope: by its value, by the elements of its array."""

    scope: Scope
    by_value: bool
    by_element: bool


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The single-field indexes of a field, per scope, and whether it is the expiry of its document.

    ``kept`` says the same for whoever writes entries: one entry by value serves both directions.
    """

    modes: Mapping[Scope, frozenset[Mode]]
    ttl: bool = False
    kept: tuple[Kept, ...] = field(init=False)

    def __post_init__(self) -> None:
        kept = (
            Kept(scope, bool(modes & {Mode.ASCENDING, Mode.DESCENDING}), Mode.CONTAINS in modes)
            for scope, modes in self.modes.items()
        )
        object.__setattr__(self, "kept", tuple(item for item in kept if item.by_value or item.by_element))

    def has(self, scope: Scope, mode: Mode) -> bool:
        """Whether the field is indexed so."""
        return mode in self.modes[scope]


AUTOMATIC = FieldRule(
    {
        Scope.COLLECTION: frozenset({Mode.ASCENDING, Mode.DESCENDING, Mode.CONTAINS}),
        Scope.COLLECTION_GROUP: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class GroupIndexes:
    """Everything declared for one collection group.

    ``overridden_inside`` holds the maps that have a field with an override of its own.
    """

    composites: tuple[CompositeIndex, ...] = ()
    overrides: Mapping[str, FieldRule] = field(default_factory=dict)
    overridden_inside: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        paths = [field_paths.parse(path) for path in self.overrides if path != "*"]
        maps = (field_paths.written(path[:length]) for path in paths for length in range(1, len(path)))
        object.__setattr__(self, "overridden_inside", frozenset(maps))

    @property
    def default(self) -> FieldRule:
        """The rule of fields without an override of their own."""
        return self.overrides.get("*", AUTOMATIC)

    def rule(self, path: field_paths.Path) -> FieldRule:
        """The rule of a field: its own override, the nearest one above it, or the default."""
        for length in range(len(path), 0, -1):
            found = self.overrides.get(field_paths.written(path[:length]))
            if found is not None:
                return found
        return self.default

    @property
    def expiry(self) -> tuple[str, ...]:
        """The fields that say when a document expires."""
        return tuple(path for path, rule in self.overrides.items() if rule.ttl)

    @property
    def identity(self) -> str:
        """Equal when the same index entries follow from it."""
        rules = {
            path: [sorted(rule.modes[scope]) for scope in Scope] + [rule.ttl]
            for path, rule in self.overrides.items()
        }
        return json.dumps([sorted(index.identity for index in self.composites), rules], sort_keys=True)

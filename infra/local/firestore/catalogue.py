"""Which indexes exist: ``firestore.indexes.json`` in the format of the Firebase tools.

``indexes`` declares composite indexes, ``fieldOverrides`` replaces the automatic single-field indexes of
a field (an empty list exempts it) and marks fields that say when a document expires. An override of a map
holds for the fields inside it, unless one of them has its own; ``*`` is the default of a collection group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypedDict

from infra.local.firestore import fields as field_paths
from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.refusal import Refusal


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


class FieldEntry(TypedDict, total=False):
    """One field of a declared index, as the file spells it."""

    fieldPath: str
    order: str
    arrayConfig: str
    vectorConfig: object
    queryScope: str


class IndexEntry(TypedDict, total=False):
    """One declared composite index."""

    collectionGroup: str
    queryScope: str
    fields: Sequence[FieldEntry]


class OverrideEntry(TypedDict, total=False):
    """One declared exception to the automatic indexes."""

    collectionGroup: str
    fieldPath: str
    ttl: bool
    indexes: Sequence[FieldEntry]


class IndexFile(TypedDict, total=False):
    """The whole file."""

    indexes: Sequence[IndexEntry]
    fieldOverrides: Sequence[OverrideEntry]


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


_NOTHING = GroupIndexes()


class InvalidIndexFile(ValueError):
    """The index file cannot be understood; the message names the entry."""


class IndexCatalogue:
    """All declared indexes."""

    def __init__(self, file: IndexFile | None = None) -> None:
        """Raises InvalidIndexFile when an entry is malformed."""
        declared = self.declared = file if file is not None else IndexFile()
        composites: dict[str, list[CompositeIndex]] = {}
        for entry in declared.get("indexes", ()):
            index = _composite(entry)
            composites.setdefault(index.group, []).append(index)
        overrides: dict[str, dict[str, FieldRule]] = {}
        for override in declared.get("fieldOverrides", ()):
            group, path, rule = _override(override)
            overrides.setdefault(group, {})[path] = rule
        self.groups: Mapping[str, GroupIndexes] = {
            group: GroupIndexes(tuple(composites.get(group, ())), overrides.get(group, {}))
            for group in sorted({*composites, *overrides})
        }

    @classmethod
    def load(cls, path: Path | None) -> IndexCatalogue:
        """The indexes declared in a file; none at all without one.

        Raises:
            InvalidIndexFile: the file is no JSON, or an entry is malformed.
        """
        if path is None:
            return cls()
        try:
            return cls(json.loads(path.read_text("utf-8")))
        except (ValueError, AttributeError, TypeError, Refusal) as error:
            raise InvalidIndexFile(f"{path.name}: {error}") from error

    def group(self, name: str) -> GroupIndexes:
        """What is declared for a collection group."""
        return self.groups.get(name, _NOTHING)


def _composite(entry: IndexEntry) -> CompositeIndex:
    try:
        parts = [Component(_path(column), _mode(column)) for column in entry["fields"]]
        scope = Scope(entry.get("queryScope", Scope.COLLECTION))
        group = entry["collectionGroup"]
    except (KeyError, ValueError) as error:
        raise _malformed("index", entry, error) from error
    if not parts:
        raise InvalidIndexFile(f"index {json.dumps(entry)} has no fields")
    if parts[-1].path != DOCUMENT_NAME:
        last = Mode.DESCENDING if parts[-1].descending else Mode.ASCENDING
        parts.append(Component(DOCUMENT_NAME, last))
    return CompositeIndex(group, scope, tuple(parts))


def _override(entry: OverrideEntry) -> tuple[str, str, FieldRule]:
    try:
        modes = {scope: set[Mode]() for scope in Scope}
        for column in entry.get("indexes", ()):
            modes[Scope(column.get("queryScope", Scope.COLLECTION))].add(_mode(column))
        path = _path(entry)
        frozen = {scope: frozenset(found) for scope, found in modes.items()}
        if "indexes" not in entry:
            frozen = dict(AUTOMATIC.modes)
        return entry["collectionGroup"], path, FieldRule(frozen, bool(entry.get("ttl", False)))
    except (KeyError, ValueError) as error:
        raise _malformed("fieldOverride", entry, error) from error


def _malformed(kind: str, entry: object, error: KeyError | ValueError) -> InvalidIndexFile:
    reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
    return InvalidIndexFile(f"{kind} {json.dumps(entry)}: {reason}")


def _path(entry: FieldEntry | OverrideEntry) -> str:
    path = entry["fieldPath"]
    return path if path == "*" else field_paths.canonical(path)


def _mode(entry: FieldEntry) -> Mode:
    if "vectorConfig" in entry:
        return Mode.VECTOR
    return Mode(entry["arrayConfig"] if "arrayConfig" in entry else entry["order"])

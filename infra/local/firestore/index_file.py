"""The entries of ``firestore.indexes.json`` as the Firebase tools spell them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypedDict

from infra.local.firestore import fields as field_paths
from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.indexes import AUTOMATIC, Component, CompositeIndex, FieldRule, Mode, Scope


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


class InvalidIndexFile(ValueError):
    """The index file cannot be understood; the message names the entry."""


def composite(entry: IndexEntry) -> CompositeIndex:
    """The index an entry declares.

    Raises:
        InvalidIndexFile: the entry is malformed.
    """
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


def override(entry: OverrideEntry) -> tuple[str, str, FieldRule]:
    """The collection group, the canonical field path (or ``*``) and the rule an entry declares.

    Raises:
        InvalidIndexFile: the entry is malformed.
    """
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

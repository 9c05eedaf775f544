"""The index keys of a document.

A key is the identity of an index (a digest of its scope and definition), the encoded values of its
columns, and the document name. All indexes of all databases share one ordered table, so an index is a
contiguous range of keys and needs no bookkeeping of its own.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from infra.local.firestore import encoding
from infra.local.firestore import fields as field_paths
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.encoding import clipped, encode, indexed, inverted, is_vector
from infra.local.firestore.fields import DOCUMENT_NAME, Fields
from infra.local.firestore.indexes import CompositeIndex, FieldRule, GroupIndexes, Mode, Scope
from infra.local.firestore.names import END, Place, path_key
from infra.local.firestore.refusal import invalid
from infra.local.firestore.wire import Value

MAX_ENTRIES = 40_000
BY_NAME = "n"


@lru_cache(maxsize=16_384)
def prefix(scope: str, definition: str) -> bytes:
    """The first bytes of every key of an index."""
    return blake2b(f"{scope}\x00{definition}".encode(), digest_size=12).digest()


def collection_scope(root: str, collection: str) -> str:
    """The scope of the indexes of one collection."""
    return f"{root}/documents/{collection}"


def group_scope(root: str, group: str) -> str:
    """The scope of the indexes of all collections with one id."""
    return f"{root}//{group}"


def by_value(path: str) -> str:
    """The definition of the index of a field by its value."""
    return "f" + path


def by_element(path: str) -> str:
    """The definition of the index of a field by the elements of its array."""
    return "a" + path


def by_composite(index: CompositeIndex) -> str:
    """The definition of a declared index."""
    return "c" + index.identity


def expiry_prefix(group: str, path: str) -> bytes:
    """The first bytes of the keys that list the documents of a group by expiry, over all databases."""
    return prefix(f"*//{group}", "t" + path)


def document_key(place: Place) -> bytes:
    """The key of the document itself in the table of documents, ordered by path within its database."""
    return prefix(place.root, BY_NAME) + path_key(place.path) + END


class Indexer:
    """Computes the index keys of documents under a catalogue."""

    def __init__(self, catalogue: IndexCatalogue) -> None:
        self._catalogue = catalogue

    def difference(
        self, place: Place, before: Fields | None, after: Fields | None
    ) -> tuple[set[bytes], set[bytes]]:
        """The keys to remove and the keys to add when a document changes; None stands for no document.

        Raises:
            Refusal: INVALID_ARGUMENT when the document would have more than ``MAX_ENTRIES`` keys.
        """
        old: set[bytes] = set()
        new: set[bytes] = set()
        writer = _Writer(place, self._catalogue.group(place.group))
        changed: set[str] | None = None
        if before is None or after is None:
            (new if before is None else old).update(writer.names())
        else:
            names = {*before, *after}
            changed = {
                name
                for name in names
                if name not in before or name not in after or before[name] != after[name]
            }
        if before is not None:
            writer.collect(before, changed, old)
        if after is not None:
            writer.collect(after, changed, new)
        if len(new) > MAX_ENTRIES:
            raise invalid(f"Document {place.path!r} would have more than {MAX_ENTRIES} index entries.")
        return old - new, new - old

    def keys(self, place: Place, fields: Fields) -> set[bytes]:
        """All index keys of a document."""
        return self.difference(place, None, fields)[1]


class _Writer:
    """Collects the keys of one document."""

    def __init__(self, place: Place, group: GroupIndexes) -> None:
        self._group = group
        self._place = place
        self._scopes = {
            Scope.COLLECTION: collection_scope(place.root, place.collection),
            Scope.COLLECTION_GROUP: group_scope(place.root, place.group),
        }
        self._tails = {
            Scope.COLLECTION: path_key(place.id) + END,
            Scope.COLLECTION_GROUP: path_key(place.path) + END,
        }

    def names(self) -> list[bytes]:
        return [prefix(self._scopes[scope], BY_NAME) + self._tails[scope] for scope in Scope]

    def collect(self, fields: Fields, changed: set[str] | None, keys: set[bytes]) -> None:
        """Adds the keys that involve a changed top-level field (all when ``changed`` is None)."""
        default = self._group.default
        for name in fields:
            if changed is None or name in changed:
                self._field(field_paths.quoted(name), fields[name], default, keys)
        for index in self._group.composites:
            if index.searchable and (
                changed is None or any(_top(part.path) in changed for part in index.components)
            ):
                self._composite(index, fields, keys)
        for path in self._group.expiry:
            value = field_paths.lookup(fields, field_paths.parse(path))
            if value is not None and value.WhichOneof("value_type") == "timestamp_value":
                whole = path_key(f"{self._place.root}/documents/{self._place.path}")
                keys.add(expiry_prefix(self._place.group, path) + encode(value) + whole + END)

    def _field(self, path: str, value: Value, rule: FieldRule, keys: set[bytes]) -> None:
        overrides = self._group.overrides
        if overrides:
            rule = overrides.get(path, rule)
        kind = value.WhichOneof("value_type")
        if rule.kept:
            key = indexed(value)
            for scope, ordered, elements in rule.kept:
                name, tail = self._scopes[scope], self._tails[scope]
                if ordered:
                    keys.add(prefix(name, by_value(path)) + key + tail)
                if elements and kind == "array_value":
                    first = prefix(name, by_element(path))
                    keys.update([first + indexed(item) + tail for item in value.array_value.values])
        elif path not in self._group.overridden_inside:
            return
        if kind == "map_value" and not is_vector(value.map_value):
            self._inner(path, value, rule, keys)

    def _inner(self, path: str, value: Value, rule: FieldRule, keys: set[bytes]) -> None:
        inner = value.map_value.fields
        for name in inner:
            self._field(f"{path}.{field_paths.quoted(name)}", inner[name], rule, keys)

    def _composite(self, index: CompositeIndex, fields: Fields, keys: set[bytes]) -> None:
        rows = [prefix(self._scopes[index.scope], by_composite(index))]
        for part in index.components:
            if part.path == DOCUMENT_NAME:
                column = [self._tails[index.scope]]
            else:
                column = column_keys(field_paths.lookup(fields, field_paths.parse(part.path)), part.mode)
            if part.descending:
                column = [inverted(key) for key in column]
            rows = [row + key for row in rows for key in column]
        keys.update(rows)


def column_keys(value: Value | None, mode: Mode) -> list[bytes]:
    """The encoded values of one column of a composite index: none, one, or one per array element."""
    if value is None:
        return []
    if mode is not Mode.CONTAINS:
        return [clipped(encoding.encode(value))]
    if value.WhichOneof("value_type") != "array_value":
        return []
    return list({indexed(item) for item in value.array_value.values})


@lru_cache(maxsize=1024)
def _top(path: str) -> str:
    return field_paths.parse(path)[0]

"""Which indexes exist: ``firestore.indexes.json`` in the format of the Firebase tools.

``indexes`` declares composite indexes, ``fieldOverrides`` replaces the automatic single-field indexes of
a field (an empty list exempts it) and marks fields that say when a document expires. An override of a map
holds for the fields inside it, unless one of them has its own; ``*`` is the default of a collection group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from infra.local.firestore.index_file import IndexFile, InvalidIndexFile, composite, override
from infra.local.firestore.indexes import CompositeIndex, FieldRule, GroupIndexes
from infra.local.firestore.refusal import Refusal

_NOTHING = GroupIndexes()


class IndexCatalogue:
    """All declared indexes."""

    def __init__(self, file: IndexFile | None = None) -> None:
        """Raises InvalidIndexFile when an entry is malformed."""
        declared = self.declared = file if file is not None else IndexFile()
        composites: dict[str, list[CompositeIndex]] = {}
        for entry in declared.get("indexes", ()):
            index = composite(entry)
            composites.setdefault(index.group, []).append(index)
        overrides: dict[str, dict[str, FieldRule]] = {}
        for exception in declared.get("fieldOverrides", ()):
            group, path, rule = override(exception)
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

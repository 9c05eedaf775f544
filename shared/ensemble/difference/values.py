"""Differences of plain JSON values, each at its JSON pointer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from shared.model.document import Document

LONGEST_SHOWN = 120
"""Characters of a value that are shown; a longer one is cut."""

_ABSENT = object()


class Kind(StrEnum):
    """What became of something from one version to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(Document):
    """A value that differs. ``path`` is a JSON pointer; ``before`` and ``after`` are JSON, cut when long.

    ``before`` is absent for what was added, ``after`` for what was removed.
    """

    path: str
    before: str | None = None
    after: str | None = None

    def mirrored(self) -> Change:
        """Return the same change seen from the other version."""
        return Change(path=self.path, before=self.after, after=self.before)


def changes(before: object, after: object, path: str = "") -> list[Change]:
    """Return where two JSON values differ, in the order of the first, then of the second."""
    return list(_walk(before, after, path))


def changes_of(
    before: Mapping[str, object], after: Mapping[str, object], names: Iterable[str]
) -> list[Change]:
    """Return where the members of that name differ; an absent one, ``null`` and an empty one are the same."""
    return [
        change
        for name in names
        for change in _walk(before.get(name) or _ABSENT, after.get(name) or _ABSENT, f"/{escaped(name)}")
    ]


def escaped(name: str) -> str:
    """Return a member's name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _walk(before: object, after: object, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}/{escaped(str(name))}"
            yield from _walk(before.get(name, _ABSENT), after.get(name, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else _ABSENT
            new = after[index] if index < len(after) else _ABSENT
            yield from _walk(old, new, f"{path}/{index}")
    elif not same(before, after):
        yield Change(path=path, before=shown(before), after=shown(after))


def same(before: object, after: object) -> bool:
    """Return whether two JSON values are equal; ``1`` and ``true`` are not, ``1`` and ``1.0`` are."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(same(before[name], after[name]) for name in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    return before == after


def shown(value: object) -> str | None:
    """Return a value as JSON, cut when long; ``None`` for one that is not there."""
    if value is _ABSENT:
        return None
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"

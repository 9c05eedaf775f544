"""Changes that mend a file and leave everything else in it as it is, byte for byte."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.validation.engine.source import Source
from shared.validation.engine.stringify import escaped


class Put(NamedTuple):
    """Give the object at ``at`` a member; replace its value if it has one of that name."""

    at: str
    name: str
    value: object


class Drop(NamedTuple):
    """Take a member from the object at ``at``."""

    at: str
    name: str


class Replace(NamedTuple):
    """Put another text in the place of a part."""

    start: int
    end: int
    text: str


Change = Put | Drop | Replace
Edit = tuple[Change, ...]
"""What mends one finding."""


def applied(source: Source, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made that do not get in each other's way; the rest is left out."""
    taken: list[Replace] = []
    for edit in edits:
        own: list[Replace] = []
        for change in edit:
            for made in _replacements(source, change):
                if not _meets(made, taken) and not any(_overlap(made, other) for other in own):
                    own.append(made)
        for made in own:
            bisect.insort_right(taken, made, key=_start)
    parts: list[str] = []
    last = 0
    for change in taken:
        parts += [source.text[last : change.start], change.text]
        last = change.end
    return "".join([*parts, source.text[last:]])


def _start(change: Replace) -> int:
    return change.start


def _meets(one: Replace, taken: Sequence[Replace]) -> bool:
    """Return whether a change touches one of those that are taken, which are in order and apart."""
    before = bisect.bisect_right(taken, one.end, key=_start)
    return before > 0 and _meet(one, taken[before - 1])


def _meet(one: Replace, other: Replace) -> bool:
    return one.start <= other.end and other.start <= one.end


def _overlap(one: Replace, other: Replace) -> bool:
    """Return whether two changes of one edit touch the same text; several may be put in at one place."""
    return _meet(one, other) and (one.start < one.end or other.start < other.end)


def _replacements(source: Source, change: Change) -> Sequence[Replace]:
    match change:
        case Replace():
            return [change]
        case Drop(at, name):
            return _dropped(source, at, name)
        case Put(at, name, value):
            return _put(source, at, name, value)


def _dropped(source: Source, at: str, name: str) -> list[Replace]:
    members = source.members(at)
    indexes = [index for index, member in enumerate(members) if member.name == name]
    if not indexes:
        return []
    index = indexes[-1]
    if index + 1 < len(members):
        return [Replace(members[index].key.start, members[index + 1].key.start, "")]
    start = members[index - 1].value.end if index else members[index].key.start
    return [Replace(start, members[index].value.end, "")]


def _put(source: Source, at: str, name: str, value: object) -> list[Replace]:
    place = source.exact(at)
    if place is None or source.text[place.start] != "{":
        return []
    members = source.members(at)
    own = [member for member in members if member.name == name]
    outer = _line_indent(source, place.start)
    inner = _first_on_line(source, members[-1].key.start) if members else _deeper(outer)
    written = _written(value, inner, _unit(outer, inner))
    if own:
        return [Replace(own[-1].value.start, own[-1].value.end, written)]
    member = f"{escaped(json.dumps(name, ensure_ascii=False))}: {written}"
    if not members:
        body = member if inner is None else f"\n{inner}{member}\n{outer or ''}"
        return [Replace(place.start, place.end, f"{{{body}}}")]
    end = members[-1].value.end
    return [Replace(end, end, f", {member}" if inner is None else f",\n{inner}{member}")]


def _line_indent(source: Source, start: int) -> str | None:
    """Return the indent of the line something stands on; ``None`` in a file of one line."""
    if source.line_count == 1:
        return None
    line = start - source.line_column(start)[1] + 1
    return source.text[line : min(start, source.after_blanks(line))]


def _first_on_line(source: Source, start: int) -> str | None:
    """Return the indent of what stands first on its line; ``None`` for what does not."""
    indent = _line_indent(source, start)
    return indent if indent is not None and source.text.endswith("\n" + indent, 0, start) else None


def _deeper(indent: str | None) -> str | None:
    return None if indent is None else indent + ("\t" if indent.startswith("\t") else "  ")


def _unit(outer: str | None, inner: str | None) -> str:
    if outer is None or inner is None:
        return "  "
    return inner.removeprefix(outer) or "  "


def _written(value: object, indent: str | None, unit: str) -> str:
    if indent is None:
        return escaped(json.dumps(value, ensure_ascii=False))
    return escaped(json.dumps(value, ensure_ascii=False, indent=unit)).replace("\n", f"\n{indent}")

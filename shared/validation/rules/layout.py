"""JSON laid out as JavaScript does it."""

from __future__ import annotations

import itertools
import json
import math
import operator

from shared.pattern import pattern
from shared.validation.engine.source import Source

_LARGEST_EXACT = 1e21
"""From here on JavaScript writes numbers with an exponent."""
_WIDEST = 50
"""Times its own size that a file may grow by indents."""
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LINES = pattern(
    # A line each: an opening or closing bracket, or a value, of a member whose name is no index. Numbers are
    # those that Python and JavaScript write alike.
    rf'(?: *+(?:(?!"\d+":){_STRING}: )?+(?:[\[{{](?!\n *+[\]}}])|[\]}}],?+|'
    rf"(?:{_STRING}|-?\d{{1,15}}+(?:\.\d{{0,4}}[1-9])?|true|false|null|\[\]|\{{\}}),?+)\n)++"
)
_COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ": "))


def laid_out(source: Source) -> str | None:
    """Return a file's JSON as ``JSON.stringify`` writes it with two spaces a level, and a line break.

    Bare placeholders stay bare. ``None`` when that cannot be told: Python and JavaScript would not agree on
    a number, a placeholder is there both bare and quoted, or it would be nothing but indents.
    """
    data = source.data
    if _is_laid_out(source.quoted, data):
        return source.text
    if not _agrees(data) or not _fits(data, _WIDEST * len(source.text)):
        return None
    written = source.bared(json.dumps(_as_javascript(data), ensure_ascii=False, indent=2))
    return None if written is None else f"{written}\n"


def _is_laid_out(text: str, data: object) -> bool:
    """Return whether a text surely needs no other layout; writing it to compare takes ten times as long."""
    if not _LINES.fullmatch(text):
        return False
    lines = text[:-1].split("\n")
    bodies = [line.lstrip(" ") for line in lines]
    closing = [2 * (body[0] in "]}") for body in bodies]
    opening = [0, *(2 * (body[-1] in "[{") for body in bodies)]
    depths = itertools.accumulate(map(operator.sub, opening, closing))
    if not all(map(operator.eq, map(operator.sub, map(len, lines), map(len, bodies)), depths)):
        return False
    # What remains: escapes, repeated names, and how numbers are written.
    return "".join(bodies) == _COMPACT.encode(data)


def _fits(data: object, most: int) -> bool:
    """Return whether the indents of what is written come to fewer characters."""
    layer, depth = [data], 0
    while layer:
        most -= 2 * depth * len(layer)
        if most < 0:
            return False
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
    return True


def _agrees(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) and (value == 0 or 1e-4 <= abs(value) < 1e16 or value.is_integer())
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= 2**53
    if isinstance(value, dict):
        return all(map(_agrees, value.values()))
    return all(map(_agrees, value)) if isinstance(value, list) else True


def _as_javascript(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return int(value)
    if isinstance(value, dict):
        # JavaScript puts names that are indexes first, in their order.
        indexes = sorted((name for name in value if _is_index(name)), key=int)
        names = [*indexes, *(name for name in value if not _is_index(name))] if indexes else value
        return {name: _as_javascript(value[name]) for name in names}
    return [_as_javascript(inner) for inner in value] if isinstance(value, list) else value


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1

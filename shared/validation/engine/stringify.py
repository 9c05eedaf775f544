"""JSON as JavaScript writes it, so that a file is the same whoever wrote it last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from shared.pattern import pattern

_LARGEST_EXACT = 1e21
"""From here on JavaScript writes numbers with an exponent."""
_LARGEST_INTEGER = 2**53
_SMALLEST = 1e-4
"""Below, Python writes numbers with an exponent, and JavaScript not yet."""
_LONE = pattern("[\ud800-\udfff]")


class Undecided(ValueError):
    """How JavaScript would write a value cannot be told, or it would be nothing but indents."""


def stringify(value: object, most_indents: int) -> str:
    """Return a parsed value as ``JSON.stringify`` writes it with two spaces a level, but for :func:`escaped`.

    Raises:
        Undecided: JavaScript might write a number in another way, or indents would come to more.
    """
    try:
        return _Writer(most_indents).written(value, "\n")
    except RecursionError:
        raise Undecided from None


def escaped(written: str, raw: str = "") -> str:
    """Return JSON with halves of characters escaped, as no file can hold them; those in ``raw`` stay.

    Bytes that are no UTF-8 are such halves while they are in memory.
    """
    if written.isascii():
        return written
    return _LONE.sub(lambda match: match[0] if match[0] in raw else f"\\u{ord(match[0]):04x}", written)


class _Writer:
    __slots__ = ("left",)

    def __init__(self, most_indents: int) -> None:
        self.left = most_indents

    def written(self, value: object, pad: str) -> str:
        """Return a value as it is written on a line that begins with a line break and an indent."""
        if isinstance(value, str):
            return encode_basestring(value)
        if isinstance(value, dict):
            return self._object(value, pad) if value else "{}"
        if isinstance(value, list):
            return self._list(value, pad) if value else "[]"
        if value is None:
            return "null"
        return ("true" if value else "false") if isinstance(value, bool) else _number(value)

    def _object(self, value: Mapping[str, Any], pad: str) -> str:
        inner = self._deeper(pad, len(value))
        parts: list[str] = []
        # Digits come before letters.
        for name in value if min(value) > ":" else _in_order(value):
            found = value[name]
            text = encode_basestring(found) if type(found) is str else self.written(found, inner)
            parts.append(f"{encode_basestring(name)}: {text}")
        return f"{{{inner}{f',{inner}'.join(parts)}{pad}}}"

    def _list(self, value: list[Any], pad: str) -> str:
        inner = self._deeper(pad, len(value))
        parts: list[str] = []
        for found in value:
            parts.append(self.written(found, inner))  # noqa: PERF401 - a comprehension takes a frame a level
        return f"[{inner}{f',{inner}'.join(parts)}{pad}]"

    def _deeper(self, pad: str, lines: int) -> str:
        inner = f"{pad}  "
        self.left -= len(inner) * lines
        if self.left < 0:
            raise Undecided
        return inner


def _number(value: object) -> str:
    if isinstance(value, int):
        written = str(value)
        # To JavaScript they are numbers of 53 bits, which need not be the same.
        if abs(value) > _LARGEST_INTEGER and (
            abs(value) >= _LARGEST_EXACT or _whole(float(value)) != written
        ):
            raise Undecided
        return written
    if not isinstance(value, float) or not math.isfinite(value):
        raise Undecided
    if value.is_integer():
        return _whole(value)
    if abs(value) < _SMALLEST:
        raise Undecided
    return repr(value)


def _whole(value: float) -> str:
    if abs(value) <= _LARGEST_INTEGER:
        return str(int(value))
    # Digits that tell it from its neighbours, and zeros: those behind them are not written out.
    digits, _, exponent = repr(value).partition("e")
    if abs(value) >= _LARGEST_EXACT or not exponent:
        return repr(value).removesuffix(".0")
    whole, _, fraction = digits.partition(".")
    return f"{whole}{fraction}{'0' * (int(exponent) - len(fraction))}"


def _in_order(value: Mapping[str, Any]) -> list[str]:
    """Return names as JavaScript has them: first those that are indexes, in their order."""
    indexes = sorted((name for name in value if _is_index(name)), key=int)
    return [*indexes, *(name for name in value if not _is_index(name))] if indexes else list(value)


def _is_index(name: str) -> bool:
    digits = name.isascii() and name.isdigit() and len(name) <= 10
    return digits and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1

"""JSON that is nested so deeply that it could be taken in, but not be written out again."""

from __future__ import annotations

import orjson

from shared import json_text

DEEPEST = 200
"""Levels of lists and objects. What is taken in is wrapped in a few more before it is written."""

_WRITABLE = 254
"""Levels that orjson writes; it reads 1,024."""


class TooDeep(ValueError):
    """JSON with more than :data:`DEEPEST` levels."""


def loads(text: bytes | str) -> object:
    """Return parsed JSON, with U+FFFD for every escape of half a character.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
        TooDeep: it is nested too deeply to be of use.
    """
    parsed = json_text.loads(text)
    raw = text.encode() if isinstance(text, str) else text
    # Counting brackets settles nearly every case, at a fraction of what parsing costs.
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and not _is_writable(parsed):
        raise TooDeep(f"it is nested more than {DEEPEST} levels deep")
    return parsed


def _is_writable(parsed: object) -> bool:
    wrapped = parsed
    for _ in range(_WRITABLE - DEEPEST):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        return False
    return True

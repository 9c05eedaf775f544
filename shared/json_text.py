"""JSON as JavaScript writes it: a text may hold half of a character.

A text that JavaScript cuts at a number of units may end in the first half of an emoji, and
``JSON.stringify`` writes that half as an escape, ``\\ud83d``. UTF-8 has no place for it, so neither
Firestore nor an answer can carry it. Refusing the document would lose a whole result for one half of a
character: the half is read as U+FFFD, which browsers show in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

_HIGH, _LOW, _EITHER = (rf"[dD]{third}[0-9a-fA-F]{{2}}" for third in ("[89abAB]", "[c-fC-F]", "[89a-fA-F]"))
# Of a row of backslashes only the last can begin an escape, and only if they are odd in number.
_ESCAPE = re.compile(rf"(?<!\\)((?:\\\\)*)\\u(?:({_HIGH}\\u{_LOW})|{_EITHER})")
_PERHAPS = re.compile(r"\\u[dD]")


def loads(text: bytes | str) -> object:
    """Return parsed JSON, with U+FFFD for every escape of half a character.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        original = text if isinstance(text, str) else text.decode(errors="surrogateescape")
        mended = with_whole_escapes(original)
        if mended == original:
            raise
    return orjson.loads(mended)


def with_whole_escapes(text: str) -> str:
    """Return JSON of the same length, where every escape of half a character is ``\\ufffd``."""
    # It begins with fixed characters, and is found at a fraction of the other one's time.
    if not _PERHAPS.search(text):
        return text
    return _ESCAPE.sub(lambda found: found[0] if found[2] else rf"{found[1]}\ufffd", text)


def dumps(value: object, default: Callable[[object], object] | None = None, option: int = 0) -> bytes:
    """Return JSON as orjson writes it, with U+FFFD for every half of a character.

    Raises:
        orjson.JSONEncodeError: it cannot be written.
    """
    try:
        return orjson.dumps(value, default, option)
    except orjson.JSONEncodeError as error:
        if "surrogates" not in str(error):
            raise
    return orjson.dumps(_without_halves(value), default, option)


def _without_halves(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_without_halves(name): _without_halves(inner) for name, inner in value.items()}
    return [_without_halves(inner) for inner in value] if isinstance(value, list | tuple) else value

"""How a value is written at the place of its placeholder (types §13, platform §6.2).

Three places: *value* position of a JSON text, *inside a string* of it, and *plain* text (trigger URLs and
webhook paths). Whatever the value is, it stays one value there: it cannot end the string, open an n8n
expression or become another placeholder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from urllib.parse import quote

from shared.placeholders import javascript

_SURROGATES = re.compile("[\ud800-\udfff]")


class Place(Enum):
    """Where a placeholder stands."""

    VALUE = "value"
    STRING = "string"
    PLAIN = "plain"


def fixed(value: str, place: Place) -> str:
    """Write an id, name, URL or secret of the platform: its bare text, quoted in value position.

    Raises :class:`ValueError` when the text would open an n8n expression; it cannot be escaped, since
    what surrounds it need not be code.
    """
    if _opens_expression(value):
        raise ValueError("opens an expression")
    if place is Place.PLAIN:
        return value
    return _json(value) if place is Place.VALUE else _json(value)[1:-1]


def _opens_expression(value: str) -> bool:
    return value.startswith(("=", "{", "}")) or value.endswith(("{", "}")) or "{{" in value or "}}" in value


def parameter(value: object, place: Place, before: str, after: str) -> str:
    """Write a deployment parameter; ``before`` and ``after`` are the characters around the placeholder.

    In value position plain JSON, inside a string a JavaScript literal, in plain text percent-encoded
    text. Raises :class:`ValueError` for numbers that are not finite.
    """
    if place is Place.VALUE:
        return _json(inert(value))
    if place is Place.PLAIN:
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        return quote(text.encode("utf-8", "replace"), safe="")
    shielded = before if before in ("'", "`") else ""
    return _json(_apart(javascript.literal(value, shielded), before, after))[1:-1]


def _apart(literal: str, before: str, after: str) -> str:
    """Keep the literal's outer braces from joining the template's to ``{{`` or ``}}``."""
    head = " " if before == "{" and literal.startswith("{") else ""
    tail = " " if after == "}" and literal.endswith("}") else ""
    return head + literal + tail


def inert(value: object) -> object:
    """Turn texts n8n would evaluate (they start with ``=``) into expressions that yield just them."""
    if isinstance(value, str):
        return f"={{{{ {javascript.literal(value)} }}}}" if value.startswith("=") else value
    if isinstance(value, Mapping):
        return {str(key): inert(member) for key, member in value.items()}
    if isinstance(value, Sequence):
        return [inert(member) for member in value]
    return value


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

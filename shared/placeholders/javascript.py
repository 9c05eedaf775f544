"""JavaScript literals that are safe inside n8n code and n8n expressions.

n8n cuts an expression at the first ``}}`` and opens one at ``{{``, before JavaScript is parsed. So no two
equal braces may touch, in a string or between structures: strings use escapes, structures a space.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_BRACES = re.compile(r"\{{2,}|\}{2,}")
# Line separators end a line in older JavaScript; lone surrogates have no UTF-8 form.
_DELICATE = re.compile("[\u2028\u2029\ud800-\udfff]")
_ESCAPE_OR_QUOTE = re.compile(r"\\.|'", re.DOTALL)


def literal(value: object, shielded_quotes: str = "") -> str:
    """Return a JavaScript literal: texts double-quoted, lists and objects with single-quoted texts.

    Quotes in ``shielded_quotes`` are written as escapes, for authors who quoted the placeholder.
    Raises :class:`ValueError` for numbers JavaScript has no literal for.
    """
    if isinstance(value, str):
        return _double_quoted(value, shielded_quotes)
    text = _structure(value)
    return "".join(_unicode(char) if char in shielded_quotes else char for char in text)


def _structure(value: object) -> str:
    if isinstance(value, str):
        return _single_quoted(value)
    if isinstance(value, Mapping):
        members = (f"{_key(str(key))}:{_structure(member)}" for key, member in value.items())
        return "{" + _ended(",".join(members)) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(_structure(member) for member in value) + "]"
    return json.dumps(value, allow_nan=False)


def _key(name: str) -> str:
    # A plain '__proto__' key would set the prototype instead of a member.
    return f"[{_single_quoted(name)}]" if name == "__proto__" else _single_quoted(name)


def _ended(members: str) -> str:
    return members + " " if members.endswith("}") else members


def _double_quoted(text: str, shielded_quotes: str) -> str:
    body = _body(text)
    for quote in shielded_quotes.replace('"', ""):
        body = body.replace(quote, _unicode(quote))
    return f'"{body}"'


def _single_quoted(text: str) -> str:
    return "'" + _ESCAPE_OR_QUOTE.sub(_requote, _body(text)) + "'"


def _requote(match: re.Match[str]) -> str:
    if match[0] == "'":
        return "\\'"
    return '"' if match[0] == '\\"' else match[0]


def _body(text: str) -> str:
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    return _DELICATE.sub(_escaped, _BRACES.sub(_escaped, body))


def _escaped(match: re.Match[str]) -> str:
    return "".join(_unicode(char) for char in match[0])


def _unicode(char: str) -> str:
    return f"\\u{ord(char):04x}"

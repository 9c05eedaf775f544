"""JSON laid out as JavaScript does it."""

from __future__ import annotations

from shared.validation.engine.source import Source
from shared.validation.engine.stringify import Undecided, escaped, stringify

_WIDEST = 50
"""Times its own size that a file may grow by indents."""


def laid_out(source: Source) -> str | None:
    """Return a file's JSON as ``JSON.stringify`` writes it with two spaces a level, and a line break.

    Bare placeholders stay bare. ``None`` when that cannot be told: Python and JavaScript might not agree on
    a number, a placeholder is there both bare and quoted, or it would be nothing but indents.
    """
    try:
        written = escaped(stringify(source.data, _WIDEST * len(source.text)) + "\n", source.text)
    except Undecided:
        return None
    return source.text if written == source.quoted else source.bared(written)

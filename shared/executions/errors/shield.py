"""Taking an author's code out of messages, for those who may run it but not read it (decision 0017).

n8n's messages quote expressions, say in which line code failed, and those of syntax errors show the line.
"""

from __future__ import annotations

import re

_WITHHELD = "…"
_LINE = re.compile(r"\s*\[line \d+[^\]]*\]")
_EXPRESSION = re.compile(
    r"\{\{.*?(?:\}\}|$)|\$(?:\((?:'[^']*'|\"[^\"]*\")?\)?|(?:json|node|input|env|vars|items?|workflow)\b)[\w.\[\]()'\"]*"
)
_FRAME = re.compile(r"(?m)^\s*at .*$|\(?(?:/|[A-Za-z]:\\)[\w.@ /\\-]+:\d+(?::\d+)?\)?|\bevalmachine\S*")


def shielded(message: str) -> str:
    """Return a message without line numbers, expressions, paths, and anything below its first line."""
    first = message.lstrip().split("\n", 1)[0]
    cleaned = _FRAME.sub("", _EXPRESSION.sub(_WITHHELD, _LINE.sub("", first)))
    return cleaned.strip() or "The workflow failed."

"""Access to the environment of the n8n process, where the platform's own secrets are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shared.ensemble.body import parameters, type_name
from shared.ensemble.guard.context import Bodies, Context, Violation, each_node

_FORBIDDEN = {
    "$env": re.compile(r"\$env\b"),
    "process.env": re.compile(
        r"\bprocess\s*(?:\?\s*\.\s*\[?|\.|\[)\s*[\"'`]?env\b|\benv\b[^{};]*\}\s*=\s*(?:global\w*\s*\.\s*)?process\b"
    ),
    "os.environ": re.compile(r"\bos\s*\.\s*(?:environ|getenv)\b|\bfrom\s+os\s+import\b"),
}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")


def no_environment(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """No expression or code reads the environment; n8n denies it too, this says so before deploying."""
    for workflow, node in each_node(bodies):
        if type_name(node) == "stickyNote":
            continue
        found = {word for text in _texts(parameters(node)) for word in _environment_words(text)}
        for word in sorted(found):
            reason = f"it reads the environment ({word}); use deployment parameters or credentials instead"
            yield Violation("no-environment", workflow, str(node.get("name")), reason)


def _environment_words(text: str) -> Iterator[str]:
    # JavaScript reads $\u0065nv as $env.
    plain = _ESCAPE.sub(_unescaped, text)
    # What looks like a comment may be two strings, so both readings count.
    readings = (plain, _COMMENT.sub(" ", plain))
    for word, pattern in _FORBIDDEN.items():
        if any(pattern.search(reading) for reading in readings):
            yield word


def _unescaped(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in a parameter, at any depth."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, Mapping):
            pending += current.values()
        elif isinstance(current, list):
            pending += current

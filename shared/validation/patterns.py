"""JavaScript patterns of form fields, matched without the risk of endless backtracking.

Patterns come from authors and values from anybody, so a match gets a time limit (the engine counts it);
a pattern that used it up is not tried again on the same payload, which bounds what a payload can cost.
"""

from __future__ import annotations

from functools import lru_cache

import regex

LIMIT_SECONDS = 0.05

# What JavaScript writes differently: any character, code points, the end of the text, named references.
_TRANSLATE = regex.compile(
    r"(?P<escape>\\u\{(?P<point>[0-9a-fA-F]{1,6})\})"
    r"|\\k<(?P<name>\w+)>"
    r"|(?P<any>\[\^\])"
    r"|(?P<class>\[(?:\\.|[^\]\\])*\])"
    r"|(?P<other>\\.)"
    r"|(?P<end>\$)",
    regex.DOTALL,
)
_PROPERTY = regex.compile(r"\\[pP]\{")


class Invalid(ValueError):
    """The pattern is no regular expression."""


class Exhausted(Exception):
    """Matching took too long."""


class Matcher:
    """Matches the patterns of one payload."""

    def __init__(self) -> None:
        self._exhausted: set[str] = set()

    def matches(self, pattern: str, text: str) -> bool:
        """Return whether the pattern is found in the text, as JavaScript's ``test`` does.

        Raises :class:`Invalid` for what is no pattern and :class:`Exhausted` when it takes too long.
        """
        if pattern in self._exhausted:
            raise Exhausted(pattern)
        try:
            return compiled(pattern).search(text, timeout=LIMIT_SECONDS) is not None
        except TimeoutError:
            self._exhausted.add(pattern)
            raise Exhausted(pattern) from None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Return the pattern, translated. Raises :class:`Invalid`."""
    # \d and \w are ASCII in JavaScript; properties are not, and exclude each other with the flag here.
    flags = regex.V0 if _PROPERTY.search(pattern) else regex.V0 | regex.ASCII
    try:
        return regex.compile(_TRANSLATE.sub(_translated, pattern), flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(str(error)) from None


def _translated(match: regex.Match[str]) -> str:
    if match["point"]:
        return regex.escape(chr(int(match["point"], 16)))
    if match["name"]:
        return f"(?P={match['name']})"
    if match["any"]:
        return r"[\s\S]"
    # JavaScript's $ is the very end; ours would also match before a last line break.
    return r"\Z" if match["end"] else match[0]

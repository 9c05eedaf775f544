"""The placeholder language: ``{{PREFIX_KEY_SUFFIX}}``, the suffix being the prefix reversed (types §13)."""

from __future__ import annotations

import bisect
import re
from enum import StrEnum
from typing import NamedTuple

from shared.pattern import pattern


class Scope(StrEnum):
    """The eleven scopes, by prefix."""

    PROCESS = "PROCDATA"
    INSTALLATION = "USERDATA"
    PLATFORM_CREDENTIAL = "SYSCREDS"
    ORGANIZATION = "ORGSECRET"
    ORGANIZATION_CREDENTIAL = "ORGCRED"
    MEMBER_CREDENTIAL = "USERCRED"
    FLEXIBLE_CREDENTIAL = "FLEXCRED"
    MEMBER_SECRET = "MEMSECRT"
    PARAMETER = "INSTPARM"
    INSTANCE_CREDENTIAL = "INSTCRED"
    SUBWORKFLOW = "SUBWKFL"

    @property
    def suffix(self) -> str:
        """Return what ends a placeholder: the prefix spelled backwards, but for one historical slip."""
        return "TERCESORG" if self is Scope.ORGANIZATION else self.value[::-1]

    @property
    def is_credential(self) -> bool:
        """Whether the key names an integration and a part of its credential."""
        return self in _CREDENTIALS

    def placeholder(self, key: str) -> str:
        """Return the placeholder of a key, braces included."""
        return f"{{{{{self.value}_{key}_{self.suffix}}}}}"


_CREDENTIALS = frozenset(
    {
        Scope.PLATFORM_CREDENTIAL,
        Scope.ORGANIZATION_CREDENTIAL,
        Scope.MEMBER_CREDENTIAL,
        Scope.FLEXIBLE_CREDENTIAL,
        Scope.INSTANCE_CREDENTIAL,
    }
)

BASE_URL = Scope.ORGANIZATION.placeholder("N8N_BASE_URL")
"""Every trigger URL starts with it."""


class Token(NamedTuple):
    """A placeholder in a text: ``text[start:end]``."""

    scope: Scope
    key: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """Return the placeholder as written."""
        return self.scope.placeholder(self.key)


def _pattern(scope: Scope) -> str:
    alphabet = "[A-Za-z0-9_-]" if scope is Scope.SUBWORKFLOW else "[A-Z0-9_]"
    return rf"(?P<{scope.value}>{alphabet}+)_{scope.suffix}"


_PREFIXES = "|".join(scope.value for scope in Scope)
# One alternative per scope, tried only where a known prefix follows the braces: linear in the text.
_TOKEN = pattern(r"\{\{(?:" + "|".join(f"{scope.value}_{_pattern(scope)}" for scope in Scope) + r")\}\}")
_ALMOST = pattern(r"\{\{[ \t]*=?(?:" + _PREFIXES + r")_[^{}]*\}\}")
_QUOTE = pattern(r'\\.|"', re.DOTALL)


def find(text: str) -> list[Token]:
    """Return the placeholders of a text in order."""
    return [_token(match) for match in _TOKEN.finditer(text)]


def _token(match: re.Match[str]) -> Token:
    scope = Scope(str(match.lastgroup))
    return Token(scope=scope, key=match[scope.value], start=match.start(), end=match.end())


def malformed(text: str) -> list[str]:
    """Return what starts like a placeholder but is none (wrong suffix, spaces, forbidden letters)."""
    found = (match[0] for match in _ALMOST.finditer(text))
    return list(dict.fromkeys(part for part in found if not _TOKEN.fullmatch(part)))


def inside_strings(text: str, tokens: list[Token]) -> list[bool]:
    """Return for each token whether it stands inside a JSON string of the text (platform §6.2).

    Decided by counting the unescaped double quotes before it: odd means inside.
    """
    quotes = [match.start() for match in _QUOTE.finditer(text) if match[0] == '"']
    return [bisect.bisect_left(quotes, token.start) % 2 == 1 for token in tokens]


def with_nulls(text: str) -> str:
    """Return the text with ``null`` for every placeholder in value position; it should parse then."""
    tokens = find(text)
    parts: list[str] = []
    last = 0
    for token, inside in zip(tokens, inside_strings(text, tokens), strict=True):
        if not inside:
            parts += [text[last : token.start], "null"]
            last = token.end
    return "".join([*parts, text[last:]])

"""The words a listing is found by. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_TERMS = 300
"""Terms of one listing: every one is an entry of a Firestore index."""

LONGEST_TERM = 40

_WORD = re.compile(r"\w+")
_SHORTEST_PREFIX = 2


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared, each once."""
    return list(dict.fromkeys(word[:LONGEST_TERM] for word in _WORD.findall(text.casefold())))


def tag_term(tag: str) -> str:
    """Return the term of a whole tag."""
    return f"#{' '.join(tag.casefold().split())[:LONGEST_TERM]}"


def terms_of(title: str, subtitle: str, description: str, tags: Iterable[str]) -> list[str]:
    """Return the terms of a listing, the telling ones first.

    Title, subtitle and tags are found by the beginnings of their words as well, a description by whole words.
    """
    tagged = list(tags)
    named = words_of(" ".join([title, subtitle, *tagged]))
    beginnings = [word[:end] for word in named for end in range(_SHORTEST_PREFIX, len(word))]
    terms = [*map(tag_term, tagged), *named, *beginnings, *words_of(description)]
    return list(dict.fromkeys(terms))[:MOST_TERMS]


def wanted_terms(q: str, tags: Iterable[str]) -> list[str]:
    """Return the terms a search asks for, the one that is likely the rarest first."""
    return [*dict.fromkeys(map(tag_term, tags)), *sorted(words_of(q), key=len, reverse=True)]

"""As much TypeScript as a use case's configuration needs: literals, brackets, and what names stand for.

Nothing is executed. What cannot be told from the text – a value that is computed – is unknown, and rules say
nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from shared.pattern import pattern

_TOKEN = pattern(
    r"(?P<blank>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>'[^'\\\n]*(?:\\.[^'\\\n]*)*'?|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"?"
    r"|`[^`\\]*(?:\\.[^`\\]*)*(?:`|\\?\Z))"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<mark>=>|\.\.\.|.)",
    re.DOTALL,
)
_PAIRS = {"{": "}", "[": "]", "(": ")"}
_CLOSING = frozenset(_PAIRS.values())
_ESCAPE = pattern(r"\\(.)", re.DOTALL)
_STATEMENTS = frozenset({"const", "let", "var", "function", "export", "return"})
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
_DEEPEST = 200
_AHEAD = 200
"""Words that are looked at after a name for what it stands for; a type rarely has more."""


class Word(NamedTuple):
    """A token; ``kind`` is string, name, number or mark."""

    kind: str
    text: str
    start: int


class Group:
    """What stands in a pair of brackets."""

    __slots__ = ("bracket", "items", "start")

    def __init__(self, bracket: str, start: int) -> None:
        """Take the opening bracket and its place; what stands inside is added as it is read."""
        self.bracket = bracket
        self.start = start
        self.items: list[Word | Group] = []

    def parts(self) -> Iterator[Sequence[Word | Group]]:
        """Yield what stands between the commas."""
        part: list[Word | Group] = []
        for item in self.items:
            if isinstance(item, Word) and item.text in (",", ";") and item.kind == "mark":
                yield part
                part = []
            else:
                part.append(item)
        if part:
            yield part

    def members(self) -> dict[str, Value]:
        """Return the members of an object literal by name."""
        found: dict[str, Value] = {}
        for part in self.parts() if self.bracket == "{" else ():
            if len(part) < 1 or not isinstance(part[0], Word) or part[0].kind not in ("name", "string"):
                continue
            name = unquoted(part[0])
            if len(part) >= 2 and isinstance(part[1], Word) and part[1].text == ":":
                found[name] = Value(part[0].start, part[2:])
            elif len(part) == 1 and part[0].kind == "name":
                found[name] = Value(part[0].start, part)
        return found

    def groups(self) -> Iterator[Group]:
        """Yield every group below, the outer ones first."""
        waiting: list[Group] = [self]
        while waiting:
            group = waiting.pop()
            inner = [item for item in group.items if isinstance(item, Group)]
            yield from inner
            waiting += reversed(inner)


class Value(NamedTuple):
    """An expression, and where the member or element begins that holds it."""

    start: int
    items: Sequence[Word | Group]


class Script:
    """The text of a configuration file, read once."""

    def __init__(self, text: str) -> None:
        """Take the text; any text will do."""
        self.text = text
        self.root = _grouped(text)

    @cached_property
    def constants(self) -> Mapping[str, Value]:
        """What names are declared as: ``const name = …``, at any depth; the first one counts."""
        found: dict[str, Value] = {}
        for group in (self.root, *self.root.groups()):
            items = group.items
            for index, item in enumerate(items):
                if _is(item, "const", "let", "var") and index + 1 < len(items):
                    name = items[index + 1]
                    value = _assigned(items[index + 2 : index + _AHEAD])
                    if isinstance(name, Word) and value is not None:
                        found.setdefault(name.text, value)
        return found

    @cached_property
    def functions(self) -> Mapping[str, Group]:
        """The bodies of functions by name."""
        found: dict[str, Group] = {}
        for group in (self.root, *self.root.groups()):
            for index, item in enumerate(group.items):
                if _is(item, "function") and index + 1 < len(group.items):
                    name = group.items[index + 1]
                    ahead = group.items[index + 2 : index + _AHEAD]
                    body = next((one for one in ahead if isinstance(one, Group) and one.bracket == "{"), None)
                    if isinstance(name, Word) and body is not None:
                        found.setdefault(name.text, body)
        return found

    def group(self, value: Value | None, bracket: str, depth: int = 0) -> Group | None:
        """Return the object or list that an expression is, as far as the text tells."""
        if value is None or not value.items or depth > 5:
            return None
        first = value.items[0]
        if isinstance(first, Group):
            return first if first.bracket == bracket else None
        if first.kind != "name":
            return None
        if len(value.items) > 1 and isinstance(value.items[1], Group) and value.items[1].bracket == "(":
            body = self.functions.get(first.text)
            return None if body is None else self.group(_returned(body), bracket, depth + 1)
        return self.group(self.constants.get(first.text), bracket, depth + 1)

    def string(self, value: Value | None, depth: int = 0) -> str | None:
        """Return the text that an expression is, or ``None`` when it is computed."""
        if value is None or not value.items or depth > 5:
            return None
        first = value.items[0]
        if isinstance(first, Group) or not _ends(value.items[1:]):
            return None
        if first.kind == "string":
            text = unquoted(first)
            return self._filled(text, depth) if first.text.startswith("`") else text
        return self.string(self.constants.get(first.text), depth + 1) if first.kind == "name" else None

    def _filled(self, template: str, depth: int) -> str | None:
        """Return a template literal with the names in it replaced, or ``None`` if one is unknown."""
        parts = re.split(r"\$\{\s*([A-Za-z_$][\w$]*)\s*\}", template)
        for index in range(1, len(parts), 2):
            known = self.string(self.constants.get(parts[index]), depth + 1)
            if known is None:
                return None
            parts[index] = known
        text = "".join(parts)
        return None if "${" in text else text


def unquoted(word: Word) -> str:
    """Return what a string literal stands for; other words stand for themselves."""
    if word.kind != "string":
        return word.text
    quote = word.text[0]
    inner = word.text[1:-1] if len(word.text) > 1 and word.text.endswith(quote) else word.text[1:]
    return _ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[1]), inner)


def _grouped(text: str) -> Group:
    root = Group("", 0)
    open_: list[Group] = [root]
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "blank":
            continue
        mark = match[0] if kind == "mark" else ""
        if mark in _PAIRS and len(open_) < _DEEPEST:
            group = Group(mark, match.start())
            open_[-1].items.append(group)
            open_.append(group)
        elif mark in _CLOSING:
            if len(open_) > 1 and _PAIRS[open_[-1].bracket] == mark:
                open_.pop()
        else:
            open_[-1].items.append(Word(kind, match[0], match.start()))
    return root


def _is(item: Word | Group, *names: str) -> bool:
    return isinstance(item, Word) and item.kind == "name" and item.text in names


def _ends(rest: Sequence[Word | Group]) -> bool:
    """Return whether nothing follows a value but its type: ``as const``, ``satisfies Type``."""
    return not rest or _is(rest[0], "as", "satisfies")


def _assigned(rest: Sequence[Word | Group]) -> Value | None:
    for index, item in enumerate(rest):
        if isinstance(item, Word) and item.kind == "mark" and item.text == "=":
            return _until_end(rest[index + 1 :])
        if isinstance(item, Word) and item.text in (";", ",", "=>"):
            return None
    return None


def _until_end(rest: Sequence[Word | Group]) -> Value | None:
    taken: list[Word | Group] = []
    for item in rest:
        if isinstance(item, Word) and (
            item.text in (";", ",")
            or (taken and item.text in ("const", "let", "var", "function", "export", "return"))
        ):
            break
        taken.append(item)
    if not taken:
        return None
    return Value(taken[0].start, taken)


def _returned(body: Group) -> Value | None:
    for index, item in enumerate(body.items):
        if _is(item, "return"):
            return _until_end(body.items[index + 1 : index + _AHEAD])
    return None

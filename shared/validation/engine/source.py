"""A file's text, what it says as JSON or else as YAML, and where each part of it stands.

Templates hold bare placeholders in value position, which no JSON has. They are read as if they were quoted;
positions are those of the text as it is written (platform §23.1).
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from shared.pattern import pattern

if TYPE_CHECKING:
    from shared.validation.engine.yaml_text import Spot

_PARAMETER = pattern(r"\{\{INSTPARM_[A-Z0-9_]+_MRAPTSNI\}\}")
_WHOLE = pattern(r'"(\{\{INSTPARM_[A-Z0-9_]+_MRAPTSNI\}\})"')
_BLANKS = pattern(r"[ \t]*")
_SPACE = pattern(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_constant=lambda word: _refuse(word))
_DEEPEST = 500
"""Levels of lists and objects; what is nested deeper is no workflow."""


class NotJson(ValueError):
    """The text is no JSON, and no YAML either."""


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")


class Span(NamedTuple):
    """A part of a text: ``text[start:end]``."""

    start: int
    end: int


class Member(NamedTuple):
    """A member of an object: the span of its name, and that of its value."""

    name: str
    key: Span
    value: Span


class _Read(NamedTuple):
    """What a text says; ``fault`` is why it is no JSON, ``yaml`` where things stand if it is YAML."""

    data: object
    fault: str | None = None
    yaml: Spot | None = None


class Source:
    """The text of one file. Nothing of it is looked at before it is asked for."""

    def __init__(self, path: str, text: str) -> None:
        """Take any text; ``path`` is what findings name it by."""
        self.path = path
        self.text = text
        self._bare: tuple[int, ...] = ()
        """Where the quoted text has quotes that the text has not, in the quoted text."""
        self._quoted = self._with_quotes() if "{{INSTPARM_" in self.text else self.text
        self._inner: dict[int, Mapping[str, Span]] = {}

    @property
    def data(self) -> object:
        """The value the text stands for, with bare placeholders as strings.

        Raises:
            NotJson: it stands for none.
        """
        if self._read.fault is not None and self._read.yaml is None:
            raise NotJson(self._read.fault)
        return self._read.data

    @property
    def fault(self) -> str | None:
        """Why the text is no JSON, but for bare placeholders, or ``None``."""
        return self._read.fault

    @property
    def is_json(self) -> bool:
        """Whether the text is JSON, but for bare placeholders."""
        return self._read.fault is None

    @cached_property
    def _read(self) -> _Read:
        try:
            return _Read(self._from_json())
        except NotJson as error:
            fault = str(error)
        # Nothing else has so much to do with workflows that reading it as YAML is worth the time.
        if "nodes" not in self.text or "connections" not in self.text:
            return _Read(None, fault)
        from shared.validation.engine.yaml_text import NotYaml, read

        try:
            data, spot = read(self.text, _DEEPEST)
            return _Read(data, fault, spot)
        except NotYaml:
            return _Read(None, fault)

    def _from_json(self) -> object:
        try:
            data: object = _DECODER.decode(self._quoted.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            line, column = self.line_column(self._written(error.pos))
            raise NotJson(f"{error.msg} at line {line} column {column}") from None
        except RecursionError:
            raise NotJson("it is nested too deeply") from None
        except ValueError as error:
            raise NotJson(str(error)) from None
        if self._quoted.count("[") + self._quoted.count("{") > _DEEPEST and _depth_exceeds(data, _DEEPEST):
            raise NotJson("it is nested too deeply")
        return data

    @property
    def quoted(self) -> str:
        """The text with quotes around bare placeholders."""
        return self._quoted

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of a character, both from 1."""
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    @property
    def line_count(self) -> int:
        """How many lines there are, from 1."""
        return len(self._lines)

    def after_blanks(self, offset: int) -> int:
        """Return where the first character stands, from a place on, that is no space and no tab."""
        match = _BLANKS.match(self.text, offset)
        return match.end() if match else offset

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def start(self, pointer: str) -> int:
        """Return where the value at a pointer begins, or its closest ancestor that exists.

        At the beginning of a text that says nothing.
        """
        if self.is_json:
            return self._written(self._found(pointer)[0].start)
        spot = self._read.yaml
        return spot.nearest(_parts(pointer)) if spot else 0

    def members(self, pointer: str) -> list[Member]:
        """Return the members of the object at a pointer in order; empty when there is no such object."""
        if not self.is_json:
            return []
        at, is_exact = self._found(pointer)
        if not is_exact or self._quoted[at.start] != "{":
            return []
        return [
            Member(name, self._as_written(key), self._as_written(value))
            for name, key, value in self._members(at)
        ]

    def exact(self, pointer: str) -> Span | None:
        """Return where the value at a pointer stands, if there is one; only texts that are JSON have any."""
        if not self.is_json:
            return None
        at, is_exact = self._found(pointer)
        return self._as_written(at) if is_exact else None

    def _found(self, pointer: str) -> tuple[Span, bool]:
        at = self._start()
        for part in _parts(pointer):
            inner = self._children(at).get(part)
            if inner is None:
                return at, False
            at = inner
        return at, True

    def _start(self) -> Span:
        begin = _skip(self._quoted, 1 if self._quoted.startswith("\ufeff") else 0)
        return Span(begin, len(self._quoted.rstrip(" \t\r\n")))

    def _children(self, at: Span) -> Mapping[str, Span]:
        """Return where the members or elements of a value stand; told once, however often it is asked."""
        if at.start not in self._inner:
            first = self._quoted[at.start : at.start + 1]
            if first == "{":
                # Of members of the same name the last one counts.
                self._inner[at.start] = {name: value for name, _, value in self._members(at)}
            else:
                self._inner[at.start] = self._elements(at) if first == "[" else {}
        return self._inner[at.start]

    def _members(self, at: Span) -> list[tuple[str, Span, Span]]:
        text, position = self._quoted, _skip(self._quoted, at.start + 1)
        found: list[tuple[str, Span, Span]] = []
        while text[position] != "}":
            name, end = _DECODER.raw_decode(text, position)
            value_start = _skip(text, _skip(text, end) + 1)
            _, value_end = _DECODER.raw_decode(text, value_start)
            found.append((name, Span(position, end), Span(value_start, value_end)))
            position = self._next(value_end)
        return found

    def _elements(self, at: Span) -> dict[str, Span]:
        text, position = self._quoted, _skip(self._quoted, at.start + 1)
        found: dict[str, Span] = {}
        while text[position] != "]":
            _, end = _DECODER.raw_decode(text, position)
            found[str(len(found))] = Span(position, end)
            position = self._next(end)
        return found

    def _next(self, end: int) -> int:
        position = _skip(self._quoted, end)
        return _skip(self._quoted, position + 1) if self._quoted[position] == "," else position

    def _with_quotes(self) -> str:
        parts: list[str] = []
        quotes: list[int] = []
        last = seen = length = 0
        within_string = False
        for match in _PARAMETER.finditer(self.text):
            start, end = match.span()
            within_string ^= _quotes_in(self.text[seen:start]) % 2 == 1
            seen = end
            if within_string:
                continue
            length += start - last
            quotes += [length, length + 1 + end - start]
            parts += [self.text[last:start], '"', match[0], '"']
            length += end - start + 2
            last = end
        self._bare = tuple(quotes)
        return "".join([*parts, self.text[last:]])

    def bared(self, written: str) -> str | None:
        """Return JSON written from :attr:`data` with bare what is so in the text.

        ``None`` when the text has such a placeholder quoted as well: the two look alike in the data.
        """
        if not self._bare:
            return written
        return None if _WHOLE.search(self.text) else _WHOLE.sub(r"\1", written)

    def _written(self, offset: int) -> int:
        """Return the place in the text of a place in the quoted text."""
        return offset - bisect.bisect_left(self._bare, offset)

    def _as_written(self, span: Span) -> Span:
        return Span(self._written(span.start), self._written(span.end))


def _quotes_in(text: str) -> int:
    """Return how many quotes begin or end a string: those that no backslash stands for."""
    return text.replace("\\\\", "").replace('\\"', "").count('"')


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer of a path of names and indexes (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _parts(pointer_: str) -> Sequence[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer_.split("/")[1:]]


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _depth_exceeds(value: object, levels: int) -> bool:
    layer: list[object] = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True

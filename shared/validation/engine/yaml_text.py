"""YAML for those who write workflows in it: what a text says, and where each part of it stands.

Of YAML only what JSON could say: no aliases, with which a small text stands for an endless one, no tags, no
names that are no texts. Plain words mean what they mean in YAML 1.2, so ``on`` and ``12:30`` are texts.
"""

from __future__ import annotations

import site
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, NamedTuple

from shared.pattern import pattern

LARGEST = 256 * 1024
"""Characters; YAML is slow to read."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = pattern(r"[-+]?[0-9]{1,300}")
_BASED = pattern(r"0(?:o(?P<octal>[0-7]{1,300})|x(?P<hexadecimal>[0-9a-fA-F]{1,300}))")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,4})?")


class NotYaml(ValueError):
    """The text is no YAML, or more of YAML than is taken."""


class Spot(NamedTuple):
    """Where a value begins, and where what is in it does, by name or index."""

    start: int
    inner: dict[str, Spot]

    def nearest(self, path: Iterable[str]) -> int:
        """Return where a part of the value begins, or the last one on the way to it that is there."""
        at = self
        for name in path:
            inner = at.inner.get(name)
            if inner is None:
                break
            at = inner
        return at.start


class _Open:
    """A list or an object that is being read."""

    def __init__(self, data: dict[str, Any] | list[Any], spot: Spot) -> None:
        self.data = data
        self.spot = spot
        self.name: str | None = None

    def add(self, value: object, spot: Spot) -> None:
        """Take the next value: an element, or what the last name is for."""
        if isinstance(self.data, list):
            self.spot.inner[str(len(self.data))] = spot
            self.data.append(value)
        elif self.name is not None:
            self.spot.inner[self.name] = spot
            self.data[self.name] = value
            self.name = None
        else:
            raise NotYaml("a name is no text")


def read(text: str, deepest: int) -> tuple[object, Spot]:
    """Return what a text says, and where each part stands.

    Raises:
        NotYaml: it is none, is longer than ``LARGEST``, or is nested deeper than ``deepest`` levels.
    """
    if len(text) > LARGEST:
        raise NotYaml("it is too large for YAML")
    _find_library()
    import yaml

    outermost = _Open([], Spot(0, {}))
    try:
        _read(yaml.parse(text, Loader=yaml.SafeLoader), outermost, deepest)
    except yaml.YAMLError as error:
        raise NotYaml(str(error)) from None
    if not isinstance(outermost.data, list) or len(outermost.data) != 1:
        raise NotYaml("it is not one document")
    return outermost.data[0], outermost.spot.inner["0"]


def _find_library() -> None:
    """Make PyYAML importable: the command that checks files starts without installed packages.

    Raises:
        NotYaml: it is not installed.
    """
    if find_spec("yaml") is None:
        site.main()
    if find_spec("yaml") is None:
        raise NotYaml("reading YAML takes PyYAML, which is not installed")


def _read(events: Iterable[Any], outermost: _Open, deepest: int) -> None:
    from yaml import events as kinds

    open_ = [outermost]
    for event in events:
        _refuse(event)
        if isinstance(event, kinds.ScalarEvent):
            _scalar(open_[-1], event)
        elif isinstance(event, kinds.CollectionStartEvent):
            spot = _spot(event)
            inner = _Open({} if isinstance(event, kinds.MappingStartEvent) else [], spot)
            open_[-1].add(inner.data, spot)
            open_.append(inner)
            if len(open_) > deepest:
                raise NotYaml("it is nested too deeply")
        elif isinstance(event, kinds.CollectionEndEvent):
            open_.pop()


def _refuse(event: Any) -> None:
    from yaml import events as kinds

    if isinstance(event, kinds.AliasEvent):
        raise NotYaml("it has an alias")
    if getattr(event, "tag", None) is not None:
        raise NotYaml("it has a tag")


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.index, {})


def _scalar(within: _Open, event: Any) -> None:
    if isinstance(within.data, dict) and within.name is None:
        if event.value in within.data:
            raise NotYaml("a name is there twice")
        within.name = event.value
        return
    value = _meant(event.value) if event.style is None else event.value
    within.add(value, _spot(event))


def _meant(word: str) -> object:
    """Return what a plain word stands for."""
    if word in _NULLS:
        return None
    if word in _TRUTHS:
        return _TRUTHS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    if based := _BASED.fullmatch(word):
        return int(based["octal"], 8) if based["octal"] else int(based["hexadecimal"], 16)
    return float(word) if _FLOAT.fullmatch(word) else word

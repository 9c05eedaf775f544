"""Field paths, and the fields of a document reached by them.

A path is a tuple of names. Its written form joins simple names with dots and puts backquotes around the
others: ``a.`b-c`.d``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from infra.local.firestore.refusal import invalid
from infra.local.firestore.wire import Fields as Fields
from infra.local.firestore.wire import Value

Path = tuple[str, ...]

DOCUMENT_NAME = "__name__"
_SIMPLE = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*")
_TOKEN = re.compile(r"([a-zA-Z_][a-zA-Z_0-9]*)|`((?:[^`\\]|\\.)+)`", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=4096)
def parse(written: str) -> Path:
    """The names of a written field path.

    Raises:
        Refusal: INVALID_ARGUMENT when it is malformed.
    """
    names: list[str] = []
    position = 0
    while True:
        token = _TOKEN.match(written, position)
        if token is None or token.end() == position:
            raise invalid(f"Invalid property path {written[:200]!r}.")
        names.append(token[1] if token[1] is not None else _ESCAPE.sub(r"\1", token[2]))
        position = token.end()
        if position == len(written):
            return tuple(names)
        if written[position] != ".":
            raise invalid(f"Invalid property path {written[:200]!r}.")
        position += 1


@lru_cache(maxsize=4096)
def quoted(name: str) -> str:
    """One name as it is written inside a path."""
    if _SIMPLE.fullmatch(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def written(path: Path) -> str:
    """The canonical written form of a path."""
    return ".".join(quoted(name) for name in path)


@lru_cache(maxsize=4096)
def canonical(path: str) -> str:
    """A written path in canonical form, so that equal paths are equal strings."""
    return written(parse(path))


def lookup(fields: Mapping[str, Value], path: Path) -> Value | None:
    """The value at ``path``, or None when there is none."""
    value: Value | None = None
    for name in path:
        if value is not None:
            if value.WhichOneof("value_type") != "map_value":
                return None
            fields = value.map_value.fields
        if name not in fields:
            return None
        value = fields[name]
    return value


def assign(fields: Fields, path: Path, value: Value) -> None:
    """Puts ``value`` at ``path``; what is no map on the way is replaced by one."""
    for name in path[:-1]:
        inner = fields[name]
        if inner.WhichOneof("value_type") != "map_value":
            inner.Clear()
            inner.map_value.SetInParent()
        fields = inner.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(fields: Fields, path: Path) -> None:
    """Removes what is at ``path``, if anything."""
    for name in path[:-1]:
        if name not in fields or fields[name].WhichOneof("value_type") != "map_value":
            return
        fields = fields[name].map_value.fields
    if path[-1] in fields:
        del fields[path[-1]]


def project(source: Fields, target: Fields, paths: Iterable[Path]) -> None:
    """Copies what ``paths`` name from ``source`` into ``target``."""
    for path in paths:
        value = lookup(source, path)
        if value is not None:
            assign(target, path, value)

"""The platform's own code, for rules that hold in every file of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T", bound=Sized)


@dataclass(frozen=True)
class Source:
    """A file of the platform."""

    name: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything the file is made of."""
        return list(ast.walk(self.tree))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))


@cache
def sources() -> list[Source]:
    """Return every file of ``functions`` and ``shared``, parsed once for all rules."""
    paths = [path for folder in ("functions", "shared") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in paths]
    assert len(found) > 400, "files were moved: a rule would hold in what is left of them"
    return found


def broken_in(rule: Callable[[Source], T]) -> dict[str, T]:
    """Return what a rule finds in the files that break it, by file."""
    return {source.name: found for source in sources() if (found := rule(source))}

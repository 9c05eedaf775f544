"""A rule: what it is called, how much it matters, what it demands, and an example of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from shared.validation.engine.finding import Problem, Severity

Subject = TypeVar("Subject")


class Layer(StrEnum):
    """What a rule looks at, in the order in which rules run."""

    LINT = "lint"
    GRAPH = "graph"
    CONTENT = "content"
    FOLDER = "folder"
    GUIDE = "guide"


Check = Callable[[Subject], Iterable[Problem]]
Files = Mapping[str, str]
Example = Callable[[], Files]
"""Makes the files a rule is shown with, by path; a rule about workflows is shown with one file."""


class Rule(NamedTuple, Generic[Subject]):
    """One rule. ``check`` yields what is wrong with a workflow or a folder.

    ``excluded`` rules run only when they are asked for by name.
    """

    id: str
    severity: Severity
    layer: Layer
    check: Check[Subject]
    bad: Example
    good: Example
    fixable: bool = False
    excluded: bool = False

    @property
    def doc(self) -> str:
        """What is demanded, and why: a paragraph of Markdown."""
        lines = (self.check.__doc__ or "").strip().splitlines()
        return "\n".join(line.strip() for line in lines)


def rule(
    id_: str,
    severity: Severity,
    layer: Layer,
    *,
    bad: Example,
    good: Example,
    fixable: bool = False,
    excluded: bool = False,
) -> Callable[[Check[Subject]], Rule[Subject]]:
    """Make a function a rule; its docstring is what the rule's documentation says."""

    def declare(check: Check[Subject]) -> Rule[Subject]:
        return Rule(id_, severity, layer, check, bad, good, fixable, excluded)

    return declare

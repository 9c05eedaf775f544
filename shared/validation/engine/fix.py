"""Mends a file by what its findings know, and looks at it again until nothing more can be mended."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.validation.engine.check import check_workflow
from shared.validation.engine.edits import applied
from shared.validation.engine.finding import Finding
from shared.validation.engine.selection import Selection
from shared.validation.engine.source import Source

LAST = "WORKFLOW-FORMAT"
"""Rewrites the whole file: its turn comes when nothing else is left."""
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Fixed:
    """A mended text, what was mended, and what the rules say of it now."""

    text: str
    mended: tuple[Finding, ...]
    left: tuple[Finding, ...]


def fix_workflow(text: str, path: str, selection: Selection) -> Fixed:
    """Return a file's text with everything mended that can be. Never raises."""
    mended: list[Finding] = []
    found = check_workflow(text, path, selection)
    for _ in range(_ROUNDS):
        fixable = [finding for finding in found if finding.edit]
        turn = [finding for finding in fixable if finding.rule != LAST] or fixable
        changed = applied(Source(path, text), [finding.edit for finding in turn if finding.edit])
        if changed == text:
            break
        before, text = found, changed
        found = check_workflow(text, path, selection)
        mended += _gone(before, found, turn)
    return Fixed(text, tuple(mended), tuple(found))


def _gone(before: Sequence[Finding], after: Sequence[Finding], tried: Sequence[Finding]) -> list[Finding]:
    left = [(finding.rule, finding.message) for finding in after]
    return [finding for finding in before if finding in tried and (finding.rule, finding.message) not in left]


def unified_diff(path: str, before: str, after: str) -> str:
    """Return what mending changes, as ``diff -u`` shows it."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )

"""Mends files by what their findings know, and looks at them again until nothing more can be mended."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.edits import applied
from shared.validation.engine.finding import Finding
from shared.validation.engine.selection import Selection
from shared.validation.engine.source import Source

LAST = "WORKFLOW-FORMAT"
"""Rewrites a whole file: its turn comes when nothing else is left to mend."""
_ROUNDS = 50


class Fixed(NamedTuple):
    """The texts by path, what was mended in them, and what the rules say of them now."""

    texts: Mapping[str, str]
    mended: tuple[Finding, ...]
    left: tuple[Finding, ...]


def fix_workflow(text: str, path: str, selection: Selection) -> Fixed:
    """Return a file's text with everything mended that can be. Never raises."""
    return _fixed({path: text}, lambda texts: check_workflow(texts[path], path, selection))


def fix_use_case(
    files: Mapping[str, str], path: str, selection: Selection, *, workflows: bool = True
) -> Fixed:
    """Return the texts of a use case with everything mended that can be. Never raises."""
    return _fixed(files, lambda texts: check_use_case(texts, path, selection, workflows=workflows))


def _fixed(files: Mapping[str, str], check: Callable[[Mapping[str, str]], list[Finding]]) -> Fixed:
    texts, found, mended = dict(files), check(files), list[Finding]()
    is_last = False
    for _ in range(_ROUNDS):
        fixable = [finding for finding in found if finding.edit and finding.path in texts]
        turn = [finding for finding in fixable if (finding.rule == LAST) is is_last]
        changed = {path: _mended(path, texts[path], turn) for path in {finding.path for finding in turn}}
        after = (
            check(texts | changed) if any(texts[path] != text for path, text in changed.items()) else found
        )
        if not _is_better(found, after, turn):
            # What was to be mended is still there, as in a text that is damaged elsewhere: it is left alone.
            if is_last:
                break
            is_last = True
            continue
        texts |= changed
        before, found, is_last = found, after, False
        mended += _gone(before, found, turn)
    return Fixed(texts, tuple(mended), tuple(found))


def _mended(path: str, text: str, turn: Sequence[Finding]) -> str:
    return applied(
        Source(path, text), [finding.edit for finding in turn if finding.edit and finding.path == path]
    )


def _is_better(before: Sequence[Finding], after: Sequence[Finding], tried: Sequence[Finding]) -> bool:
    """Return whether there is less of anything that was to be mended."""
    counts, left = Counter(map(_said, before)), Counter(map(_said, after))
    return any(left[said] < counts[said] for said in set(map(_said, tried)))


def _said(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.rule, finding.message


def _gone(before: Sequence[Finding], after: Sequence[Finding], tried: Sequence[Finding]) -> list[Finding]:
    left = set(map(_said, after))
    tried_ids = {id(finding) for finding in tried}
    return [finding for finding in before if id(finding) in tried_ids and _said(finding) not in left]


def unified_diff(path: str, before: str, after: str) -> str:
    """Return what mending changes, as ``diff -u`` shows it."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)


_NO_END = "\\ No newline at end of file"

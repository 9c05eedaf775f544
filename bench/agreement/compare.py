"""What both find in the same files: by both, by ours alone, by the CLI alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.agreement.cli import Cli
from bench.agreement.corpus import Files, write
from bench.agreement.known import why
from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.selection import Selection
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

_FILE = re.compile(r"\[(?P<file>[^\]]+\.json)\] ")


class Difference(NamedTuple):
    """A rule that only one of the two found something with; ``why`` is ``None`` if it is unknown."""

    where: str
    rule: str
    ours: bool
    why: str | None


class Agreement:
    """Counts by rule, of files or folders."""

    def __init__(self) -> None:
        """Begin with none."""
        self.both: Counter[str] = Counter()
        self.differences: list[Difference] = []
        self.subjects = 0

    @property
    def unexplained(self) -> list[Difference]:
        """Differences that no known improvement explains."""
        return [found for found in self.differences if found.why is None]

    def add(self, where: str, text: str, ours: Iterable[str], theirs: Iterable[str]) -> None:
        """Take the rules that found something in one file, or folder, whose text explains differences."""
        own, other = set(ours), set(theirs)
        self.subjects += 1
        self.both.update(own & other)
        for rule in sorted(own ^ other):
            self.differences.append(Difference(where, rule, rule in own, why(rule, rule in own, text)))

    def rows(self) -> list[tuple[str, int, int, int]]:
        """Return for each rule how often both, only ours and only the CLI found something."""
        only = Counter((found.rule, found.ours) for found in self.differences)
        rules = sorted({*self.both, *(rule for rule, _ in only)})
        return [(rule, self.both[rule], only[rule, True], only[rule, False]) for rule in rules]


def compare_workflows(agreement: Agreement, cli: Cli, folder: Path, texts: Files) -> None:
    """Compare what both find in workflow files, also by the rules that run only when they are named.

    The CLI leaves those out even then; what they would find, the linter says that it comes with.
    """
    write(folder, {f"workflows/{name}": text for name, text in texts.items()})
    named = [rule.id for rule in WORKFLOW_RULES if rule.excluded and rule.id.startswith("R")]
    theirs = _by_file(cli.report(folder))
    more = cli.lint(texts)
    for name, text in texts.items():
        own = {found.rule for found in check_workflow(text, name)}
        other = theirs.get(name, set())
        if "JSON-001" not in own:
            own |= {found.rule for found in check_workflow(text, name, Selection(include=named))}
            other |= more.get(name, set()) & set(named)
        agreement.add(name, text, own, other)


def compare_folder(agreement: Agreement, cli: Cli, folder: Path, files: Files) -> None:
    """Compare what both find in a use case as a whole."""
    report = cli.report(write(folder, files), "--skip-workflows")
    own = {found.rule for found in check_use_case(files, str(folder), workflows=False)}
    agreement.add(
        folder.name, "\n".join(files.values()), own, {found["rule"] for found in report["findings"]}
    )


def _by_file(report: Mapping[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        if match := _FILE.match(finding["message"]):
            found.setdefault(match["file"], set()).add(finding["rule"])
    return found

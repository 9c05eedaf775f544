"""What was found and mended, as the author asked to be told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from infra.verify.arguments import Given
from shared.validation.engine.finding import Finding
from shared.validation.engine.report import as_dict, as_json, as_text


class Told:
    """Findings that are left in files, and what was mended in them."""

    def __init__(
        self,
        left: list[Finding],
        files: list[str],
        mended: list[Finding] | None = None,
        changed: list[str] | None = None,
        diff: str = "",
    ) -> None:
        """Take what one file or folder came to."""
        self.left = left
        self.files = files
        self.mended = mended or []
        self.changed = changed or []
        self.diff = diff

    def add(self, other: Told) -> None:
        """Add what another file or folder came to."""
        self.left += other.left
        self.files += other.files
        self.mended += other.mended
        self.changed += other.changed
        self.diff += other.diff


def told_as(given: Given, told: Told) -> str:
    """Return the report in the form that was asked for."""
    if given.json:
        return as_json(_where(given), told.left, told.files, **_mended(given, told))
    if given.sarif:
        return _sarif(told.left)
    text = as_text(told.left, colours=_colours())
    if not given.fix:
        return text
    does = "would fix" if given.dry_run else "fixed"
    lines = [f"{does} {finding.rule} in {finding.path}: {finding.message}" for finding in told.mended]
    return "\n".join([*([told.diff] if given.dry_run and told.diff else []), *lines]) + text


def _where(given: Given) -> str:
    return ", ".join(given.paths)


def _mended(given: Given, told: Told) -> Mapping[str, object]:
    if not given.fix:
        return {}
    fixed = [as_dict(finding) for finding in told.mended]
    if given.dry_run:
        return {"wouldFix": fixed, "filesToChange": told.changed, "diff": told.diff}
    return {"fixed": fixed, "filesChanged": told.changed}


def _sarif(findings: list[Finding]) -> str:
    from shared.validation.engine.sarif import as_sarif
    from shared.validation.rules.folder_rules import FOLDER_RULES
    from shared.validation.rules.workflow_rules import WORKFLOW_RULES

    return as_sarif(findings, [*WORKFLOW_RULES, *FOLDER_RULES])


def _colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

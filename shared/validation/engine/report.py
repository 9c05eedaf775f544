"""Findings for people, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shared.validation.engine.finding import Finding, Severity

_COLOURS = {Severity.MUST: "31", Severity.SHOULD: "33", Severity.NIT: "2"}


def is_valid(findings: Sequence[Finding]) -> bool:
    """Return whether nothing was found that must not be."""
    return not any(finding.severity is Severity.MUST for finding in findings)


def summary(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each severity, and how many can be fixed."""
    counts = {severity.value: 0 for severity in Severity}
    for finding in findings:
        counts[finding.severity.value] += 1
    return {**counts, "fixable": sum(finding.fixable for finding in findings)}


def as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as a JSON object, without what is not known."""
    told = {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.path,
        "message": finding.message,
        "details": finding.details,
        "nodeId": finding.node_id,
        "pointer": finding.pointer,
        "line": finding.line,
        "column": finding.column,
        "fixable": finding.fixable or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def as_json(path: str, findings: Sequence[Finding], files: Sequence[str], **more: object) -> str:
    """Return everything found as JSON text."""
    report: dict[str, Any] = {
        "valid": is_valid(findings),
        "path": path,
        "summary": summary(findings),
        "ruleCount": by_rule(findings),
        "filesValidated": list(files),
        "findings": [as_dict(finding) for finding in findings],
        **more,
    }
    return json.dumps(report, ensure_ascii=False, indent=2)


def by_rule(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each rule."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
    return counts


def as_text(findings: Sequence[Finding], *, colours: bool) -> str:
    """Return everything found as lines to read, by file."""
    lines: list[str] = []
    path = None
    for finding in findings:
        if finding.path != path:
            path = finding.path
            lines += ["", _painted(path, "1", colours)]
        at = f"{finding.line}:{finding.column}" if finding.line else "-"
        severity = _painted(f"{finding.severity.value:<6}", _COLOURS[finding.severity], colours)
        fixable = _painted(" (fixable)", "2", colours) if finding.fixable else ""
        lines.append(
            f"  {at:>9}  {severity}  {finding.message}  {_painted(finding.rule, '2', colours)}{fixable}"
        )
        if finding.details:
            lines.append(f"{'':13}{_painted(finding.details, '2', colours)}")
    counts = summary(findings)
    said = ", ".join(f"{counts[severity.value]} {severity.value}" for severity in Severity)
    verdict = _painted("valid", "32", colours) if is_valid(findings) else _painted("not valid", "31", colours)
    return "\n".join([*lines, "", f"{verdict}: {said}, {counts['fixable']} fixable", ""])


def _painted(text: str, colour: str, colours: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colours else text

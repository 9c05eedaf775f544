"""Findings for code hosts, which show them beside the lines: SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.rule import Rule

_LEVELS = {Severity.MUST: "error", Severity.SHOULD: "warning", Severity.NIT: "note"}
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(findings: Sequence[Finding], rules: Sequence[Rule[Any]]) -> str:
    """Return everything found as SARIF 2.1.0, which code hosts show beside the lines."""
    known = {rule.id: rule for rule in rules}
    named = list(dict.fromkeys(finding.rule for finding in findings))
    run = {
        "tool": {"driver": {"name": "podium verify", "rules": [_described(name, known) for name in named]}},
        "results": [_result(finding, named) for finding in findings],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _described(name: str, known: Mapping[str, Rule[Any]]) -> dict[str, Any]:
    rule = known.get(name)
    text = rule.doc.split("\n\n")[0] if rule else name
    return {"id": name, "shortDescription": {"text": text}}


def _result(finding: Finding, named: Sequence[str]) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path)}}
    if finding.line is not None:
        location["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
    text = f"{finding.message}. {finding.details}" if finding.details else finding.message
    return {
        "ruleId": finding.rule,
        "ruleIndex": named.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }

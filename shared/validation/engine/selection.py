"""Which rules run, and how much their findings matter (platform §23.1, §23.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.validation.engine.finding import Severity
from shared.validation.engine.rule import Rule

ALIASES: Mapping[str, str] = {
    "CK-INIT": "CODIKA-INIT",
    "CK-SUBMIT": "CODIKA-SUBMIT",
    "CK-ERROR": "CODIKA-SUBMIT",
    "CK-SCHEDULE-CONVERGENCE": "SCHEDULE-WEBHOOK-CONVERGENCE",
    "CK-SUBWORKFLOW-PARAMS": "SUBWKFL-MIN-PARAMS",
    "CK-SUBWORKFLOW": "SUBWKFL-REFERENCES",
    "UC-SUBWORKFLOW-REFS": "SUBWKFL-REFERENCES",
    "CK-PLACEHOLDERS": "PLACEHOLDER-SYNTAX",
    "CK-CREDENTIALS": "CRED-PLACEHOLDER",
    "WF-WEBHOOK-ID": "WEBHOOK-ID",
    "WF-LLM-OUTPUT": "LLM-OUTPUT-ACCESS",
    "WF-LLM-MODEL": "LLM-MODEL-ID",
    "WF-INSTPARM-QUOTING": "INSTPARM-QUOTE",
    "WF-SANITIZATION": "WORKFLOW-SANITIZATION",
    "WF-SETTINGS": "WORKFLOW-SETTINGS",
    "UC-TRIGGERS": "TRIGGERS-REQUIRED",
    "UC-CONFIG-EXPORTS": "CONFIG-EXPORTS",
    "UC-WORKFLOW-IMPORTS": "CONFIG-WORKFLOWS",
    "UC-TRIGGER-CONSISTENCY": "TRIGGER-TYPE-CONSISTENCY",
    "UC-WEBHOOK-PATHS": "WEBHOOK-PATH-CONSISTENCY",
    "UC-CALLEDBY": "CALLEDBY-CONSISTENCY",
    "UC-SCHEMA-TYPES": "SCHEMA-TYPES",
    "UC-INTEGRATIONS": "INTEGRATION-INHERITANCE",
}
"""Names that the documentation uses; findings carry the primary ones."""


class Selection(NamedTuple):
    """What the caller asked for. Names of rules may be aliases, in any case."""

    include: Iterable[str] = ()
    exclude: Iterable[str] = ()
    strict: bool = False
    severities: Mapping[str, Severity] = {}

    def chosen(self, rules: Iterable[Rule[Any]]) -> list[Rule[Any]]:
        """Return the rules that run: those asked for, or all that are not left out by default."""
        asked = {primary(name) for name in self.include}
        left_out = {primary(name) for name in self.exclude}
        return [
            rule
            for rule in rules
            if rule.id not in left_out and (rule.id in asked if asked else not rule.excluded)
        ]

    def severity(self, rule_id: str, severity: Severity) -> Severity:
        """Return how much a finding matters to the caller."""
        chosen = self.severities.get(rule_id, severity)
        return Severity.MUST if self.strict and chosen is Severity.SHOULD else chosen


def primary(name: str) -> str:
    """Return the id that a rule's name stands for."""
    upper = name.strip().upper()
    return ALIASES.get(upper, upper)

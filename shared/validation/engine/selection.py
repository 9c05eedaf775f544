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


GROUPS: Mapping[str, str] = {
    "DEFAULT": "all that run when none is named",
    "GUIDE": "what the guides advise; none of it runs by default",
    "ALL": "every rule",
}
"""Names that stand for many rules."""
_GUIDE = "GUIDE-"
"""How the ids of the guides' rules begin."""


class Selection(NamedTuple):
    """What the caller asked for. Names of rules may be aliases or groups, in any case."""

    include: Iterable[str] = ()
    exclude: Iterable[str] = ()
    strict: bool = False
    severities: Mapping[str, Severity] = {}

    def chosen(self, rules: Iterable[Rule[Any]]) -> list[Rule[Any]]:
        """Return the rules that run: those asked for, or all that are not left out by default."""
        asked = {primary(name) for name in self.include} or {"DEFAULT"}
        left_out = {primary(name) for name in self.exclude}
        return [rule for rule in rules if _names(rule) & asked and not _names(rule) & left_out]

    def leaves_out(self, rule_id: str) -> bool:
        """Return whether findings of an id that no rule has, such as ``RULE-ERR``, are not wanted."""
        return rule_id in {primary(name) for name in self.exclude}

    def severity(self, rule_id: str, severity: Severity) -> Severity:
        """Return how much a finding matters to the caller: overrides come first, strictness after them."""
        chosen = {primary(name): given for name, given in self.severities.items()}.get(rule_id, severity)
        return Severity.MUST if self.strict and chosen is Severity.SHOULD else chosen


def primary(name: str) -> str:
    """Return the id, or the group, that a rule's name stands for."""
    upper = name.strip().upper()
    return ALIASES.get(upper, upper)


def _names(rule: Rule[Any]) -> set[str]:
    """Return the id of a rule, and the groups it is in."""
    groups = {"ALL"} | (set() if rule.excluded else {"DEFAULT"})
    return {rule.id, *groups, *(("GUIDE",) if rule.id.startswith(_GUIDE) else ())}

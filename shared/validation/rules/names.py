"""Which names of rules there are."""

from __future__ import annotations

from collections.abc import Iterable

from shared.validation.engine.selection import ALIASES, GROUPS, primary
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

STRUCTURAL = ("JSON-001", "RULE-ERR", "SCRIPT-ERR")
"""Ids of findings that no rule of its own makes."""


def unknown_names(names: Iterable[str]) -> list[str]:
    """Return the names that stand for no rule and no group of rules."""
    ids = {rule.id for rule in WORKFLOW_RULES} | {rule.id for rule in FOLDER_RULES}
    known = {*ids, *GROUPS, *ALIASES.values(), *STRUCTURAL}
    return [name for name in names if primary(name) not in known]

"""Layer 1: texts that do not belong in a workflow (platform §23.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow

_SECRET = pattern(
    r"(?i:api[_-]?key)|Bearer |-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"|\b(?:sk-[\w-]{20}|xox[abeprs]-\w{10}|gh[opsru]_\w{30}|github_pat_\w{30}|AKIA[A-Z0-9]{16}|AIza[\w-]{35})",
    re.ASCII,
)
_ENVIRONMENT = pattern(
    r"\b(?:dev|development|stag|staging|prod|production|test|testing)\b", re.ASCII | re.IGNORECASE
)

_KEY = "api_key=4f1c"
"""Such as the examples show; it opens nothing."""


def _asking(**parameters: str) -> str:
    return parent(node("Ask the shop", "httpRequest", parameters, retryOnFail=True, waitBetweenTries=1000))


def _first(found: Node, wanted: re.Pattern[str]) -> tuple[str, str] | None:
    """Return the pointer of the first text among a node's parameters that has a pattern, and what has it.

    Texts with an expression or a placeholder are left out: what they come to is not known.
    """
    for given in found.texts():
        match = None if given.is_name or "{{" in given.text else wanted.search(given.text)
        if match:
            return found.at(*given.path), match[0]
    return None


@rule(
    "R4",
    Severity.MUST,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: _asking(url=f"https://shop.example.com?{_KEY}")),
    good=one(lambda: _asking(url="https://shop.example.com", authentication="predefinedCredentialType")),
)
def secrets_are_not_written(workflow: Workflow) -> Iterator[Problem]:
    """No parameter holds what looks like a key, a token or a password.

    Whoever reads the file has it then, and so has every installation. Names such as `X-API-Key` look like one
    as well; that is why this rule is left out by default.
    """
    for found in workflow.nodes:
        place = _first(found, _SECRET)
        if place is not None:
            yield Problem(
                f'Node "{found.name}" contains a hardcoded secret',
                "Put it into a credential, and name the credential by a placeholder.",
                place[0],
                node_id=found.id,
            )


@rule(
    "R9",
    Severity.SHOULD,
    Layer.LINT,
    excluded=True,
    bad=one(lambda: _asking(url="https://staging.example.com")),
    good=one(lambda: _asking(url="={{ {{INSTPARM_SHOP_URL_MRAPTSNI}} }}")),
)
def environments_are_not_written(workflow: Workflow) -> Iterator[Problem]:
    """No parameter names an environment, such as `staging` or `prod`.

    The same file runs in all of them. Comments in code and names may well say such words; that is why this
    rule is left out by default.
    """
    for found in workflow.nodes:
        place = _first(found, _ENVIRONMENT)
        if place is not None:
            yield Problem(
                f'Node "{found.name}" contains the env-specific literal "{place[1]}"',
                "Make it a parameter of the installation, or a part of a credential.",
                place[0],
                node_id=found.id,
            )

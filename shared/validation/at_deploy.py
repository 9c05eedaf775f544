"""Which findings refuse a deploy, and how they are told (platform §11.1 step 3, decision 0032). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shared.errors import InvalidConfiguration
from shared.validation.engine.check import check_workflow
from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.report import as_dict

MOST_TOLD = 100
"""Findings in the details of a refusal."""
_NAMED = 5
"""Of these in its message."""
_HINT = "`codika verify use-case PATH --fix` shows them all, and mends what can be mended."


def refuse_findings(texts: Mapping[str, str]) -> None:
    """Check workflow files, by template id and in the order of the configuration.

    What deploying corrects by itself is let pass.

    Raises:
        InvalidConfiguration: a rule says ``must``. ``details`` hold ``findings`` as ``verify --json`` shows
            them, ``findingCount``, and ``field``, ``reason`` and ``index`` of the first.
    """
    found = list(_refusing(texts))
    if not found:
        return
    index, first = found[0]
    findings = [finding for _, finding in found]
    raise InvalidConfiguration(
        _message(findings),
        field=f"workflows[{index}].n8nWorkflowJsonBase64",
        reason=first.message,
        index=index,
        details={
            "findings": [as_dict(finding) for finding in findings[:MOST_TOLD]],
            "findingCount": len(findings),
        },
        next_action=_HINT,
    )


def _refusing(texts: Mapping[str, str]) -> Iterator[tuple[int, Finding]]:
    for index, (template_id, text) in enumerate(texts.items()):
        for finding in check_workflow(text, f"workflows/{template_id}.json"):
            if finding.severity is Severity.MUST and not finding.corrected:
                yield index, finding


def _message(findings: Sequence[Finding]) -> str:
    named = "; ".join(f"{finding.path}: {finding.message} ({finding.rule})" for finding in findings[:_NAMED])
    more = f"; and {len(findings) - _NAMED} more" if len(findings) > _NAMED else ""
    return f"The workflows break rules: {named}{more}. {_HINT}"

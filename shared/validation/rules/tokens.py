"""Layer 3: placeholders as they are written (platform §23.5, 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.model.tokens import Scope
from shared.pattern import pattern
from shared.validation.engine.edits import Replace
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Workflow

_PARAMETER = pattern(r"\{\{INSTPARM_[A-Z0-9_]+_MRAPTSNI\}\}")
_TOKEN = pattern(r"\{\{(?P<text>[A-Z][A-Z0-9_]*)\}\}")
_QUOTES = "'\""
_SUFFIXES = {scope.value: scope.suffix for scope in Scope}


@rule(
    "INSTPARM-QUOTE",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(node("Greet", "set", {"text": "={{ '{{INSTPARM_GREETING_MRAPTSNI}}' }}"}))),
    good=one(lambda: parent(node("Greet", "set", {"text": "={{ {{INSTPARM_GREETING_MRAPTSNI}} }}"}))),
)
def parameter_is_not_quoted(workflow: Workflow) -> Iterator[Problem]:
    """Placeholders of installation parameters stand without quotes of their own.

    The platform writes the value as what it is, a text with its quotes; inside quotes it would be a text of
    a text.
    """
    text, free = workflow.source.text, 0
    for match in _PARAMETER.finditer(text):
        start, end = match.start() - 1, match.end() + 1
        # A quote belongs to one placeholder.
        if start < free or text[start] not in _QUOTES or text[end - 1 : end] != text[start]:
            continue
        free = end
        yield Problem(
            f"INSTPARM placeholder should not be quoted: {text[start:end]}",
            f"Remove the {text[start]} quotes around {match[0]}.",
            offset=start,
            edit=(Replace(start, end, match[0]),),
        )


@rule(
    "PLACEHOLDER-SYNTAX",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(node("Greet", "set", {"text": "{{USERDATA_USER_ID_USERDATA}}"}))),
    good=one(lambda: parent(node("Greet", "set", {"text": "{{USERDATA_USER_ID_ATADRESU}}"}))),
)
def placeholder_is_known(workflow: Workflow) -> Iterator[Problem]:
    """A placeholder is `{{PREFIX_KEY_SUFFIX}}`: a known prefix, a key, and the prefix spelled backwards.

    What is not is left in the workflow as it stands, and fails when it runs.
    """
    text = workflow.source.text
    if "{{" not in text:
        return
    for match in _TOKEN.finditer(text):
        prefix, _, rest = match["text"].partition("_")
        key, _, last = rest.rpartition("_")
        expected = _SUFFIXES.get(prefix)
        if expected is None or not key or not last:
            yield Problem(
                f"Unknown placeholder pattern: {match[0]}",
                f"Known prefixes: {', '.join(sorted(_SUFFIXES))}.",
                offset=match.start(),
                severity=Severity.SHOULD,
            )
        elif last != expected and last.isalpha():
            right = f"{{{{{prefix}_{key}_{expected}}}}}"
            yield Problem(
                f"Invalid placeholder suffix: {match[0]} should end with _{expected}",
                f"Replace {match[0]} with {right}",
                offset=match.start(),
                edit=(Replace(match.start(), match.end(), right),),
            )

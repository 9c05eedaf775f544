"""Where our rules differ from the CLI's on purpose, each with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from shared.validation.engine.source import Source
from shared.validation.engine.workflow import Workflow, object_of, reachable


class Known(NamedTuple):
    """A difference: the rules, whether ours finds more, what the text has, and why."""

    rules: frozenset[str]
    ours: bool
    has: Callable[[str], bool]
    why: str


def _text(*parts: str) -> Callable[[str], bool]:
    return lambda text: all(part in text for part in parts)


def _has_loop(text: str) -> bool:
    source = Source("", text)
    workflow = Workflow(source, object_of(source.data))
    return any(found.index in reachable(workflow.after(found), workflow.after) for found in workflow.nodes)


def _has_namesakes(text: str) -> bool:
    source = Source("", text)
    names = [found.name for found in Workflow(source, object_of(source.data)).nodes]
    return len(set(names)) < len(names)


def _rules(*ids: str) -> frozenset[str]:
    return frozenset(ids)


KNOWN = (
    Known(
        _rules("CRED-PLACEHOLDER", "PLACEHOLDER-SYNTAX"),
        False,
        _text("SYSCREDS"),
        "SYSCREDS is a known scope.",
    ),
    Known(
        _rules("RETRY-BACKOFF", "R1"),
        False,
        _text("$execution.resumeUrl"),
        "Nodes that hand out the address a run is resumed at must not repeat their call.",
    ),
    Known(
        _rules("SCHEDULE-WEBHOOK-CONVERGENCE"),
        True,
        _text("scheduleTrigger", "respondToWebhook"),
        "A node that answers a webhook is none that can be called.",
    ),
    Known(
        _rules("SUBWKFL-MIN-PARAMS"),
        True,
        lambda text: text.count("executeWorkflowTrigger") > 1,
        "A second trigger of a sub-workflow is looked at as well.",
    ),
    Known(
        _rules("LLM-OUTPUT-ACCESS"),
        True,
        _text("output?."),
        "That one text of a node is careful does not excuse another one.",
    ),
    Known(
        _rules("MERGE-BEFORE-TERMINAL"),
        False,
        _has_namesakes,
        "Of nodes that share a name, the last is the one that connections mean.",
    ),
    Known(_rules("R4"), True, _text("sk-"), "What has the form of a vendor's key is one as well."),
    Known(_rules("R8"), False, _has_loop, "In a loop, what a node makes reaches the node itself."),
    Known(
        _rules("R11"),
        False,
        lambda text: re.search(r"splitInBatches|executeWorkflow", text) is not None,
        "Two nodes are deprecated in old versions only; the linter looks at no version.",
    ),
    Known(
        _rules("R11"),
        True,
        lambda text: re.search(r'base\.(?:function|openAi)"', text) is not None,
        "Every node that n8n hides from its list since it was replaced is deprecated.",
    ),
    Known(_rules("R6"), True, _text('"timeout"'), "Time-outs count on every kind of node."),
    Known(
        _rules("TRIGGER-TYPES", "SCHEDULE-TRIGGER-FIELDS", "CALLEDBY-CONSISTENCY"),
        False,
        lambda text: re.search(r"triggers: \[\],.*\[\{ type:", text) is not None,
        "What follows an empty list of triggers on the same line is none.",
    ),
    Known(
        _rules("TRIGGER-TYPES"),
        True,
        lambda text: re.search(r"service: 'fax'.*inputSchema: \[", text) is not None,
        "A trigger's service counts whatever fields it takes.",
    ),
    Known(
        _rules("SCHEMA-TYPES"),
        False,
        lambda text: re.search(r"type: '\w+'.*inputSchema: \[", text) is not None,
        "The type of a trigger whose fields follow on the same line is none of a field.",
    ),
    Known(
        _rules("SKILL-WORKFLOW-REF"),
        True,
        lambda text: '"nodes"' not in text,
        "A skill leads nowhere in a use case without workflow files, too.",
    ),
    Known(
        _rules("WEBHOOK-PATH-CONSISTENCY"),
        True,
        lambda text: re.search(r"['`]\{\{ORGSECRET_N8N_BASE_URL_TERCESORG\}\}/", text) is not None,
        "The CLI's pattern ends at a trigger's first brace, which is that of the placeholder.",
    ),
)


def why(rule: str, ours: bool, text: str) -> str | None:
    """Return why one of the two finds something and the other does not, or ``None`` when it is not known."""
    return next(
        (known.why for known in KNOWN if rule in known.rules and known.ours is ours and known.has(text)), None
    )

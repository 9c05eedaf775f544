"""Layer 1: what any n8n workflow should keep to (platform §23.3)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.examples import node, one, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of
from shared.validation.rules.failures import retry_setting
from shared.validation.rules.kinds import calls_service, contains

LONGEST_LOOP = 1000
"""Iterations."""
LONGEST_TIMEOUT = 300_000
"""Milliseconds."""

_LOOPS = ("loop", "batch", "while", "repeat")
_GENERIC = frozenset({"http request", "set", "if", "merge", "switch", "no-op", "start"})
_HEAVY = frozenset(
    f"n8n-nodes-base.{name}"
    for name in ("httpRequest", "postgres", "mysql", "mongodb", "openAi", "anthropic", "huggingFace")
)
_RETRY_AFTER = pattern(r"retry[-_]?after", re.IGNORECASE)


def number(value: object) -> float | None:
    """Return a finite number, or a text that is one; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


@rule(
    "R6",
    Severity.SHOULD,
    Layer.LINT,
    bad=one(lambda: parent(node("Each line", "splitInBatches"))),
    good=one(lambda: parent(node("Each line", "splitInBatches", {"options": {"maxIterations": 100}}))),
)
def long_running(workflow: Workflow) -> Iterator[Problem]:
    """Loops say after how many rounds they end, at most 1,000, and no node waits more than five minutes.

    A loop without an end holds a run, and the worker it runs on, until somebody stops it.
    """
    for found in workflow.nodes:
        if contains(found.lower_type, _LOOPS):
            yield from _loop(found)
        timeout = _first(found, ("timeout", "timeoutMs"), ("timeout",))
        if timeout is not None and timeout > LONGEST_TIMEOUT:
            yield Problem(
                f'Node "{found.name}" waits up to {timeout:.0f} ms',
                f"Keep timeouts at {LONGEST_TIMEOUT} ms or less, or split the work.",
                found.at("parameters"),
                node_id=found.id,
            )


def _loop(found: Node) -> Iterator[Problem]:
    rounds = _first(found, ("maxIterations", "maxIteration", "limit"), ("maxIterations",))
    if rounds and rounds <= LONGEST_LOOP:
        return
    said = f"runs up to {rounds:.0f} rounds" if rounds else "does not say after how many rounds it ends"
    yield Problem(
        f'Loop "{found.name}" {said}',
        f"Set options.maxIterations to {LONGEST_LOOP} or less.",
        found.at("parameters"),
        node_id=found.id,
    )


def _first(found: Node, names: tuple[str, ...], options: tuple[str, ...]) -> float | None:
    """Return the first of some parameters that is set, 0 being unset."""
    given = found.parameters
    inner = object_of(given.get("options"))
    stated = [
        *(given[name] for name in names if name in given),
        *(inner[name] for name in options if name in inner),
    ]
    return next((value for value in map(number, stated) if value), None)


@rule(
    "R10",
    Severity.NIT,
    Layer.LINT,
    bad=one(lambda: parent(node("Set", "set"))),
    good=one(lambda: parent(node("Add the total", "set"))),
)
def naming(workflow: Workflow) -> Iterator[Problem]:
    """Nodes are named for what they do, not for what they are.

    The name is what a failed run is reported with.
    """
    for found in workflow.nodes:
        if not found.name or found.name.lower() in _GENERIC:
            yield Problem(
                f'Node {found.id} uses a generic name "{found.name}"',
                'Name it for what it does, e.g. "Check subscription" instead of "IF".',
                found.at("name"),
                node_id=found.id,
            )


@rule(
    "R13",
    Severity.MUST,
    Layer.LINT,
    bad=one(
        lambda: written(
            [webhook(), node("Ask the shop", "httpRequest", retryOnFail=True, waitBetweenTries=1000)],
            {"Orders arrive": ["Ask the shop"]},
        )
    ),
    good=one(lambda: parent(node("Ask the shop", "httpRequest", retryOnFail=True, waitBetweenTries=1000))),
)
def webhook_acknowledges(workflow: Workflow) -> Iterator[Problem]:
    """A webhook does no heavy work before it has answered.

    Callers give up after a few seconds and call again: what runs by then runs twice. Put a *Respond to
    Webhook* node, or the platform's Init node, between the webhook and the work.
    """
    for found in workflow.nodes:
        if "webhook" not in found.type or "respondtowebhook" in found.lower_type:
            continue
        after = workflow.after(found)
        if any(_answers(one_.lower_type) or _answers(one_.name.lower()) for one_ in after):
            continue
        if any(one_.type in _HEAVY or contains(one_.lower_type, ("loop", "batch")) for one_ in after):
            yield Problem(
                f'Webhook "{found.name}" performs heavy processing before acknowledgment',
                'Answer first: add a "Respond to Webhook" node right after it.',
                found.at(),
                node_id=found.id,
            )


def _answers(text: str) -> bool:
    _, said, rest = text.partition("respond")
    return bool(said) and "webhook" in rest


@rule(
    "R14",
    Severity.SHOULD,
    Layer.LINT,
    bad=one(lambda: parent(node("Ask the shop", "httpRequest", retryOnFail=True))),
    good=one(lambda: parent(node("Ask the shop", "httpRequest", retryOnFail=True, waitBetweenTries=1000))),
)
def retry_after(workflow: Workflow) -> Iterator[Problem]:
    """A node that tries again waits in between, or as long as the service asks it to (`Retry-After`).

    Trying again at once is what a service that limits calls answers with the same refusal.
    """
    for found in workflow.nodes:
        if not calls_service(found) or not _retries(found):
            continue
        if number(found.data.get("waitBetweenTries")) is not None:
            continue
        if _RETRY_AFTER.search(json.dumps(found.data)):
            continue
        yield Problem(
            f'Node "{found.name}" tries again without waiting',
            "Set waitBetweenTries (milliseconds) on the node, or read the Retry-After header.",
            found.at(),
            node_id=found.id,
        )


def _retries(found: Node) -> bool:
    given = retry_setting(found)
    # An expression may come out either way.
    return bool(given) and not (isinstance(given, str) and "{{" in given)

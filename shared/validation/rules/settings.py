"""Layer 3: a workflow's settings, and what n8n adds to files it exports (platform §23.5, 4, 5 and 14)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared.validation.engine.edits import Drop, Put, Replace
from shared.validation.engine.examples import ERROR_WORKFLOW, SETTINGS, node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Workflow, object_of
from shared.validation.rules.layout import laid_out

_SUBWORKFLOW_TRIGGER = "n8n-nodes-base.executeWorkflowTrigger"
_EXPORTED = {
    "id": "n8n gives every workflow one of its own",
    "versionId": "n8n gives every version one of its own",
    "meta": "it tells of the n8n the file was exported from",
    "active": "deploying decides whether a workflow is active",
    "tags": "tags belong to the n8n the file was exported from",
    "pinData": "pinned data is for trying things out in the editor",
}


@rule(
    "WORKFLOW-SETTINGS",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(settings={"executionOrder": "v0"})),
    good=one(lambda: parent(settings=SETTINGS)),
)
def settings_are_complete(workflow: Workflow) -> Iterator[Problem]:
    """Settings name the organization's error workflow and the execution order `v1`.

    The error workflow is how failures that nobody reported reach the platform. Sub-workflows need none:
    their failures are their callers'.
    """
    called = any(found.type == _SUBWORKFLOW_TRIGGER for found in workflow.nodes)
    wanted = {"executionOrder": "v1"} if called else {"errorWorkflow": ERROR_WORKFLOW, "executionOrder": "v1"}
    given = workflow.data.get("settings")
    for name, value in wanted.items():
        present = object_of(given).get(name)
        if present != value:
            said = "Missing required setting" if present is None else "Wrong value of setting"
            yield Problem(
                f"{said}: {name}",
                f'Set "{name}": {json.dumps(value)} in settings.',
                f"/settings/{name}",
                edit=(_setting(given, name, value),),
                corrected=present is None,
            )


def _setting(given: object, name: str, value: str) -> Put:
    # Without settings the first fix makes them; the next is made when the file is looked at again.
    return Put("/settings", name, value) if isinstance(given, dict) else Put("", "settings", {name: value})


@rule(
    "WORKFLOW-SANITIZATION",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(active=True, id="abc")),
    good=one(lambda: parent()),
)
def nothing_exported(workflow: Workflow) -> Iterator[Problem]:
    """A file holds nothing that belongs to the n8n it was exported from."""
    for name, why in _EXPORTED.items():
        if name in workflow.data:
            yield Problem(
                f'Workflow contains forbidden n8n property: "{name}"',
                f'Remove "{name}": {why}.',
                f"/{name}",
                edit=(Drop("", name),),
                corrected=True,
            )


@rule(
    "WORKFLOW-FORMAT",
    Severity.SHOULD,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: json.dumps(json.loads(parent(node("Add the total", "set"))))),
    good=one(lambda: parent(node("Add the total", "set"))),
)
def is_laid_out(workflow: Workflow) -> Iterator[Problem]:
    """A file is laid out as `JSON.stringify(workflow, null, 2)` does it, and ends with a line break.

    So that a change shows as what it is.
    """
    text = workflow.source.text
    canonical = laid_out(workflow.source)
    if canonical is not None and text != canonical:
        yield Problem(
            "Workflow JSON is not canonically formatted",
            "Use two spaces a level, one member a line, and LF line ends.",
            offset=0,
            edit=(Replace(0, len(text), canonical),),
        )

"""Folders of use cases that rules are shown with: right in all but what is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from shared.validation.engine.examples import chain, node, parent
from shared.validation.engine.rule import Example

BASE = "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}"
HTTP = f"{{ type: 'http', url: '{BASE}/webhook/orders', method: 'POST' }}"
SKILL = "---\nname: take-order\ndescription: Takes an order.\nworkflowTemplateId: main\n---\n\n# Orders\n"


def config(
    workflow: str = "",
    *,
    triggers: str | None = f"[{HTTP}]",
    more: str = "",
    top: str = "",
    files: tuple[str, ...] = ("workflows/main.json",),
    exports: str = "export ",
) -> str:
    """Return a configuration with the workflow ``main``, and what else is given, as TypeScript."""
    listed = ", ".join(f"join(__dirname, '{file}')" for file in files)
    given = "" if triggers is None else f"triggers: {triggers},"
    return f"""{exports}const WORKFLOW_FILES = [{listed}];

{exports}function getConfiguration() {{
  return {{
    title: 'Orders',
    workflows: [
      {{ workflowTemplateId: 'main', workflowName: 'Main', integrationUids: [], {given} {workflow} }},
      {more}
    ],
    {top}
  }};
}}
"""


def folder(files: Mapping[str, str | Callable[[], str]] | None = None, text: str | None = None) -> Example:
    """Return a use case of one workflow, with another configuration, and with other files or more."""
    return lambda: {
        "config.ts": config() if text is None else text,
        "project.json": json.dumps({"projectId": "p"}),
        "workflows/main.json": parent(),
        "skills/take-order/SKILL.md": SKILL,
        **{name: given if isinstance(given, str) else given() for name, given in (files or {}).items()},
    }


def called(*extra: Mapping[str, object]) -> str:
    """Return a sub-workflow's file."""
    trigger = node("Called", "executeWorkflowTrigger", {"workflowInputs": {"values": [{"name": "order"}]}})
    return chain(trigger, node("Price it", "set"), *extra, settings={"executionOrder": "v1"})


def calling(id_: str) -> str:
    """Return a workflow's file that calls another workflow."""
    parameters = {"workflowId": f"{{{{SUBWKFL_{id_}_LFKWBUS}}}}", "options": {"waitForSubWorkflow": True}}
    return parent(node("Price the order", "executeWorkflow", parameters))

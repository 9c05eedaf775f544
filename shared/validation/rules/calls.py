"""Layer 3: nodes that call others (platform §23.5, 10 to 13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.validation.engine.edits import Change, Put
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of
from shared.validation.rules.codika import ENDINGS
from shared.validation.rules.failures import hands_out_resume_url
from shared.validation.rules.kinds import contains

_SERVICES = (
    *("http", "request", "google", "gmail", "facebook", "slack", "telegram", "twilio", "notion", "airtable"),
    *("hubspot", "stripe", "microsoft", "outlook", "teams", "discord", "github", "gitlab", "jira", "asana"),
    *("trello", "shopify", "mailchimp", "sendgrid", "aws", "azure", "s3"),
)
_INSIDE = frozenset(
    name.lower()
    for name in (
        *("code", "function", "functionItem", "if", "switch", "set", "merge", "noOp", "stickyNote"),
        *("splitInBatches", "itemLists", "dateTime", "crypto", "xml", "html", "markdown", "compression"),
        *("renameKeys", "splitOut", "aggregate", "removeDuplicates", "limit", "sort", "filter"),
        *("respondToWebhook", "wait", "executeWorkflow", "executeWorkflowTrigger", "webhook"),
        *("scheduleTrigger", "manualTrigger", "errorTrigger", "workflowTrigger", "emailReadImap"),
        *("localFileTrigger", "readBinaryFiles", "writeBinaryFile", "readPdf", "convertToFile"),
        *("extractFromFile", "supabase", "postgres", "mySql", "mongoDb", "redis", "elasticsearch"),
    )
)
"""Nodes that call no service over the network, and databases."""
_DATABASES = frozenset({"supabase", "postgres", "mysql", "microsoftSql", "mongoDb", "redis", "elasticsearch"})
_RETRIES: dict[str, Any] = {"retryOnFail": True, "maxTries": 3, "waitBetweenTries": 1000}


@rule(
    "RETRY-BACKOFF",
    Severity.SHOULD,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(node("Tell the team", "slack"))),
    good=one(lambda: parent(node("Tell the team", "slack", **_RETRIES))),
)
def retries(workflow: Workflow) -> Iterator[Problem]:
    """A node that calls a service tries again when the service fails.

    Not so a node that hands out the address at which the run is resumed (`$execution.resumeUrl`): its call
    has an effect, and must not be made twice.
    """
    for found in workflow.nodes:
        if _calls_service(found) and not _retries(found):
            missing: list[Change] = [
                Put(found.at(), name, value)
                for name, value in _RETRIES.items()
                if name == "retryOnFail" or name not in found.data
            ]
            yield Problem(
                f'Node "{found.name}" is missing retry/backoff configuration',
                'Enable "Retry on Fail" in the settings of the node.',
                found.at(),
                node_id=found.id,
                edit=tuple(missing),
            )


def _calls_service(found: Node) -> bool:
    type_, short = found.lower_type, found.short_type.lower()
    if "codika" in type_ or "langchain" in type_ or short in _INSIDE or short.endswith("trigger"):
        return False
    return contains(type_, _SERVICES) and not hands_out_resume_url(found)


def _retries(found: Node) -> bool:
    places = (found.data, found.parameters, object_of(found.parameters.get("options")))
    return any(place.get("retryOnFail") is True for place in places)


@rule(
    "MERGE-BEFORE-TERMINAL",
    Severity.MUST,
    Layer.CONTENT,
    bad=one(lambda: parent(node("Both answers", "merge"))),
    good=one(lambda: parent(node("Both answers", "merge"), node("Add the total", "set"))),
)
def no_merge_before_end(workflow: Workflow) -> Iterator[Problem]:
    """A Merge node does not lead to the node that ends the run.

    What ends the run takes one item; a merge that waits for a branch that was not taken never delivers it.
    """
    for connection in workflow.connections:
        source, target = connection.source, connection.target
        if (
            source.type == "n8n-nodes-base.merge"
            and target.type == "n8n-nodes-codika.codika"
            and target.operation in ENDINGS
        ):
            yield Problem(
                f'Merge node "{source.name}" is connected directly to "{target.name}"',
                "Put a node in between (e.g. Set), or give each branch an end of its own.",
                source.at(),
                node_id=source.id,
            )


@rule(
    "EXEC-WORKFLOW-WAIT",
    Severity.SHOULD,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(node("Price it", "executeWorkflow"))),
    good=one(lambda: parent(node("Price it", "executeWorkflow", {"options": {"waitForSubWorkflow": True}}))),
)
def waits_for_subworkflow(workflow: Workflow) -> Iterator[Problem]:
    """A node that calls another workflow says that it waits for it; `false` is a choice, silence is none."""
    for found in workflow.nodes:
        if found.short_type != "executeWorkflow":
            continue
        options = found.parameters.get("options")
        if object_of(options).get("waitForSubWorkflow") in (True, False):
            continue
        yield Problem(
            f'Node "{found.name}" does not say that it waits for its sub-workflow',
            "Set options.waitForSubWorkflow to true.",
            found.at("parameters"),
            node_id=found.id,
            edit=(_waiting(found, options),),
        )


def _waiting(found: Node, options: object) -> Put:
    if isinstance(options, dict):
        return Put(found.at("parameters", "options"), "waitForSubWorkflow", True)
    if isinstance(found.data.get("parameters"), dict):
        return Put(found.at("parameters"), "options", {"waitForSubWorkflow": True})
    return Put(found.at(), "parameters", {"options": {"waitForSubWorkflow": True}})


@rule(
    "DB-ALWAYS-OUTPUT",
    Severity.SHOULD,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: parent(node("Look it up", "postgres"))),
    good=one(lambda: parent(node("Look it up", "postgres", alwaysOutputData=True))),
)
def databases_always_answer(workflow: Workflow) -> Iterator[Problem]:
    """A node that asks a database goes on when nothing was found.

    Otherwise the run stops there, without a result and without an error.
    """
    for found in workflow.nodes:
        if found.short_type in _DATABASES and found.data.get("alwaysOutputData") is not True:
            yield Problem(
                f'Node "{found.name}" stops the run when the database has no rows',
                "Set alwaysOutputData to true on the node.",
                found.at(),
                node_id=found.id,
                edit=(Put(found.at(), "alwaysOutputData", True),),
            )

"""Workflows that call one another, and what they connect to (platform §23.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.model.tokens import Scope, find
from shared.validation.engine.edits import Edit, Replace
from shared.validation.engine.examples import node, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.folder_examples import called, calling, config, folder
from shared.validation.engine.rule import Layer, rule
from shared.validation.usecase.declared import UseCase

_PER_INTEGRATION = (
    Scope.FLEXIBLE_CREDENTIAL,
    Scope.MEMBER_CREDENTIAL,
    Scope.ORGANIZATION_CREDENTIAL,
    Scope.INSTANCE_CREDENTIAL,
)
_BOTH = ("workflows/main.json", "workflows/pricing.json")


def _pricing(called_by: str) -> str:
    trigger = f"{{ type: 'subworkflow', calledBy: [{called_by}] }}"
    return f"{{ workflowTemplateId: 'pricing', workflowName: 'Pricing', triggers: [{trigger}] }},"


_FILES = {"workflows/main.json": lambda: calling("pricing"), "workflows/pricing.json": called}


def _needing() -> str:
    return parent(node("Tell", "slack", {"channel": "{{ORGCRED_SLACK_ID_DERCGRO}}"}, retryOnFail=True))


def calls_of(text: str) -> list[str]:
    """Return the ids of the workflows that a file calls, once each."""
    return list(dict.fromkeys(token.key for token in find(text) if token.scope is Scope.SUBWORKFLOW))


@rule(
    "SUBWKFL-REFERENCES",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"workflows/main.json": lambda: calling("gone")}),
    good=folder(_FILES, config(more=_pricing("'main'"), files=_BOTH)),
)
def called_workflows_exist(use_case: UseCase) -> Iterator[Problem]:
    """A workflow calls only workflows of the same use case."""
    for path in use_case.workflow_files:
        for token in find(use_case.files[path]):
            if token.scope is Scope.SUBWORKFLOW and token.key not in use_case.by_id:
                known = ", ".join(use_case.by_id) or "none"
                yield Problem(
                    f'{path} calls "{token.key}", which no workflow is called',
                    f"Workflows of this use case: {known}.",
                    offset=token.start,
                    path=path,
                )


@rule(
    "CALLEDBY-CONSISTENCY",
    Severity.SHOULD,
    Layer.FOLDER,
    fixable=True,
    bad=folder(_FILES, config(more=_pricing(""), files=_BOTH)),
    good=folder(_FILES, config(more=_pricing("'main'"), files=_BOTH)),
)
def callers_are_named(use_case: UseCase) -> Iterator[Problem]:
    """A sub-workflow names the workflows that call it in `calledBy`."""
    for caller in use_case.workflows:
        text = use_case.files.get(use_case.file_of(caller), "")
        for id_ in calls_of(text):
            target = use_case.by_id.get(id_)
            for trigger in (target.triggers or ()) if target else ():
                if trigger.type != "subworkflow" or caller.id in (trigger.called_by or ()):
                    continue
                yield Problem(
                    f'"{id_}" is called by "{caller.id}", which its calledBy does not name',
                    f"Add '{caller.id}' to calledBy.",
                    offset=trigger.place.offset,
                    path=trigger.place.path,
                    edit=_added(trigger.called_by_end, trigger.called_by, caller.id),
                )


@rule(
    "INTEGRATION-INHERITANCE",
    Severity.SHOULD,
    Layer.FOLDER,
    fixable=True,
    bad=folder({"workflows/main.json": _needing}),
    good=folder(),
)
def integrations_are_declared(use_case: UseCase) -> Iterator[Problem]:
    """A workflow declares the integrations it needs: its own, and those of the workflows it calls.

    What is not declared is not asked for when the use case is installed.
    """
    for workflow in use_case.workflows:
        path = use_case.file_of(workflow)
        if path not in use_case.files or workflow.integration_uids is None:
            continue
        needed = _needed(use_case, path, set())
        for uid in sorted(needed - set(workflow.integration_uids)):
            yield Problem(
                f'Workflow "{workflow.id}" needs the integration "{uid}", which its integrationUids lack',
                f"Add '{uid}' to integrationUids.",
                offset=workflow.place.offset,
                path=workflow.place.path,
                edit=_added(workflow.integration_uids_end, workflow.integration_uids, uid),
            )


def _needed(use_case: UseCase, path: str, seen: set[str]) -> set[str]:
    """Return what a file needs, and what those need that it calls, however far down."""
    waiting, needed = [path], set[str]()
    while waiting:
        at = waiting.pop()
        if at in seen or at not in use_case.files:
            continue
        seen.add(at)
        text = use_case.files[at]
        for token in find(text):
            if token.scope in _PER_INTEGRATION:
                needed.add(_uid(token.key))
        targets = [use_case.by_id[id_] for id_ in calls_of(text) if id_ in use_case.by_id]
        waiting += [use_case.file_of(target) for target in targets]
    return needed


def _uid(key: str) -> str:
    for marker in ("_ID", "_NAME"):
        key = key.removesuffix(marker)
    return key.lower()


def _added(end: int | None, present: Sequence[str] | None, text: str) -> Edit | None:
    """Return what adds a text to a list, if there is a list to add to."""
    if end is None:
        return None
    return (Replace(end, end, f", '{text}'" if present else f"'{text}'"),)

"""How workflows are started: as declared, and as their files say (platform §23.6)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.validation.engine.examples import INIT, SUBMIT, node, parent, webhook, written
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.folder_examples import BASE, HTTP, config, folder
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, text_of
from shared.validation.rules.webhooks import WEBHOOK
from shared.validation.usecase.declared import DeclaredTrigger, DeclaredWorkflow, UseCase

TYPES = ("http", "schedule", "service_event", "subworkflow", "data_ingestion")
SERVICES = ("telegram", "email", "slack", "discord", "pipedrive", "other")
SCHEDULE_FIELDS = ("cronExpression", "timezone", "humanReadable", "manualTriggerUrl")
_URLS = {"http": "url", "schedule": "manualTriggerUrl"}
_PREFIX = f"{BASE}/webhook/"
_CALLED = "executeworkflowtrigger"

_BOTH = ("workflows/main.json", "workflows/other.json")
_ELSEWHERE = HTTP.replace("/orders", "/elsewhere")
_WHEN = "cronExpression: '0 9 * * *', timezone: 'UTC', humanReadable: 'At nine'"
_INPUT = f"[{HTTP[:-2]}, inputSchema: [{{ key: 'amount', type: 'number' }}] }}]"
_SCHEDULE = f"[{{ type: 'schedule', {_WHEN}, manualTriggerUrl: '{BASE}/webhook/orders' }}]"


def _declared(use_case: UseCase) -> Iterator[tuple[DeclaredWorkflow, DeclaredTrigger]]:
    for workflow in use_case.workflows:
        for trigger in workflow.triggers or ():
            yield workflow, trigger


@rule(
    "TRIGGERS-REQUIRED",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(triggers="[]")),
    good=folder(),
)
def workflows_have_triggers(use_case: UseCase) -> Iterator[Problem]:
    """Every workflow declares how it is started."""
    for workflow in use_case.workflows:
        if workflow.triggers is not None and not workflow.triggers:
            yield Problem(
                f'Workflow "{workflow.id}" has no triggers',
                "Declare at least one: what calls it, when it runs, or which workflow calls it.",
                offset=workflow.place.offset,
                path=workflow.place.path,
            )


@rule(
    "TRIGGER-TYPES",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(triggers="[{ type: 'cron' }]")),
    good=folder(),
)
def trigger_types_are_known(use_case: UseCase) -> Iterator[Problem]:
    """Triggers are of a known type, and service events of a known service."""
    for workflow, trigger in _declared(use_case):
        service = trigger.fields.get("service")
        for said, value, known in (("type", trigger.type, TYPES), ("service", service, SERVICES)):
            if value is not None and value not in known:
                yield Problem(
                    f'Invalid trigger {said} "{value}" in workflow "{workflow.id}"',
                    f"Use one of: {', '.join(known)}.",
                    offset=trigger.place.offset,
                    path=trigger.place.path,
                )


@rule(
    "SCHEDULE-TRIGGER-FIELDS",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(triggers="[{ type: 'schedule', cronExpression: '0 9 * * *' }]")),
    good=folder(),
)
def schedules_are_complete(use_case: UseCase) -> Iterator[Problem]:
    """A schedule says when, in which time zone, in words, and at which address it is run now."""
    for workflow, trigger in _declared(use_case):
        missing = [name for name in SCHEDULE_FIELDS if name not in trigger.fields]
        if trigger.type == "schedule" and missing:
            yield Problem(
                f'Schedule trigger of workflow "{workflow.id}" lacks {", ".join(missing)}',
                "All four fields are required.",
                offset=trigger.place.offset,
                path=trigger.place.path,
            )


@rule(
    "INPUT-SCHEMA-FORMAT",
    Severity.SHOULD,
    Layer.FOLDER,
    bad=folder(
        text=config(triggers=f"[{HTTP[:-2]}, inputSchema: [{{ name: 'amount', type: 'number' }}] }}]")
    ),
    good=folder(
        text=config(triggers=f"[{HTTP[:-2]}, inputSchema: [{{ key: 'amount', type: 'number' }}] }}]")
    ),
)
def inputs_have_keys(use_case: UseCase) -> Iterator[Problem]:
    """Entries of an input schema are called by `key`; `name` is not read."""
    for place in dict.fromkeys(use_case.misnamed_inputs):
        yield Problem(
            'An entry of an inputSchema has a "name" instead of a "key"',
            "Rename it to key.",
            offset=place.offset,
            path=place.path,
        )


@rule(
    "WEBHOOK-PATH-CONSISTENCY",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(triggers=f"[{_ELSEWHERE}]")),
    good=folder(),
)
def addresses_lead_to_webhooks(use_case: UseCase) -> Iterator[Problem]:
    """The address of a trigger is that of a Webhook node in the workflow's file.

    Otherwise every call ends at an address n8n does not know.
    """
    for workflow, trigger in _declared(use_case):
        name = _URLS.get(trigger.type or "")
        url = trigger.fields.get(name) if name else None
        if name is None or url is None:
            continue
        wrong = _unreachable(use_case, workflow, url)
        if wrong:
            yield Problem(
                f'{name} of workflow "{workflow.id}" {wrong}',
                f"It must be {_PREFIX} and then the path of the Webhook node, letter by letter.",
                offset=trigger.place.offset,
                path=trigger.place.path,
            )


def _unreachable(use_case: UseCase, workflow: DeclaredWorkflow, url: str) -> str | None:
    if not url.startswith(_PREFIX):
        return f"does not start with {_PREFIX}"
    path = use_case.file_of(workflow)
    if path not in use_case.files:
        return f"cannot be checked: {path} does not exist"
    file = use_case.workflow(path)
    if file is None:
        return None
    webhooks = [found for found in file.nodes if found.type == WEBHOOK]
    if not webhooks:
        return f"leads nowhere: {path} has no Webhook node"
    paths = [text_of(found.parameters.get("path")).removeprefix("=") for found in webhooks]
    return None if url.removeprefix(_PREFIX) in paths else f"leads nowhere: webhooks of {path} are at {paths}"


@rule(
    "TRIGGER-TYPE-CONSISTENCY",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(triggers=_SCHEDULE)),
    good=folder(
        {
            "workflows/main.json": lambda: written(
                [node("Every morning", "scheduleTrigger"), webhook(), INIT, SUBMIT],
                {
                    "Every morning": ["Codika Init"],
                    "Orders arrive": ["Codika Init"],
                    "Codika Init": ["Submit Result"],
                },
            )
        },
        text=config(triggers=_SCHEDULE),
    ),
)
def triggers_are_in_files(use_case: UseCase) -> Iterator[Problem]:
    """What is declared is what the file has: an http trigger a webhook, a schedule a schedule trigger.

    A scheduled workflow may declare `http` besides, for it has a webhook to be run at any time.
    """
    for workflow, trigger in _declared(use_case):
        file = use_case.workflow(use_case.file_of(workflow))
        starts = _starts(file) if file else []
        if not starts or trigger.type is None or any(_fits(trigger.type, start) for start in starts):
            continue
        if trigger.type in TYPES and trigger.type != "data_ingestion":
            names = ", ".join(dict.fromkeys(start.type for start in starts))
            yield Problem(
                f'Workflow "{workflow.id}" declares {trigger.type}, and its file starts with {names}',
                "Change the declaration, or the trigger node.",
                offset=trigger.place.offset,
                path=trigger.place.path,
            )


def _starts(file: Workflow) -> list[Node]:
    """Return what starts a workflow: its triggers, and webhooks."""
    others = [found for found in file.nodes if "trigger" in found.lower_type and found.type != WEBHOOK]
    return [*others, *(found for found in file.nodes if found.type == WEBHOOK)]


def _fits(type_: str, start: Node) -> bool:
    if type_ == "http":
        return start.type == WEBHOOK
    if type_ == "schedule":
        return "scheduletrigger" in start.lower_type
    if type_ == "subworkflow":
        return _CALLED in start.lower_type
    own = start.type == WEBHOOK or "scheduletrigger" in start.lower_type or _CALLED in start.lower_type
    return type_ == "service_event" and not own


@rule(
    "GUIDE-WEBHOOK-PATHS",
    Severity.SHOULD,
    Layer.FOLDER,
    excluded=True,
    bad=folder({"workflows/other.json": parent}, config(files=_BOTH)),
    good=folder(),
)
def addresses_differ(use_case: UseCase) -> Iterator[Problem]:
    """No two Webhook nodes of a use case have the same path.

    n8n keeps one of them, and calls of the other start the wrong workflow.
    """
    seen: set[tuple[str, str]] = set()
    for path in use_case.workflow_files:
        file = use_case.workflow(path)
        for found in file.nodes if file else ():
            address = text_of(found.parameters.get("path")).removeprefix("=")
            key = (text_of(found.parameters.get("httpMethod")) or "GET", address)
            if found.type != WEBHOOK or not address:
                continue
            if key in seen:
                yield Problem(
                    f'Webhook "{found.name}" of {path} has the path {address}, as another one has',
                    "Give each a path of its own.",
                    found.at("parameters", "path"),
                    node_id=found.id,
                    path=path,
                )
            seen.add(key)

"""What the guides advise about how runs begin, and about whose credentials are used (platform §23.8)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.model.tokens import Scope
from shared.pattern import pattern
from shared.validation.engine.examples import (
    INIT,
    SETTINGS,
    SUBMIT,
    chain,
    node,
    one,
    parent,
    webhook,
    written,
)
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of, text_of
from shared.validation.rules.webhooks import WEBHOOK

INSTALLATION = Scope.INSTALLATION.placeholder("PROCESS_INSTANCE_UID")
_OWN_TRIGGERS = ("executeworkflowtrigger", "scheduletrigger", "manualtrigger", "errortrigger")
_FILTERS = frozenset(f"n8n-nodes-base.{name}" for name in ("if", "filter", "switch", "code"))
_ANSWERS = "respondtowebhook"
_PLATFORMS = pattern(r"\{\{SYSCREDS_[A-Z0-9_]+\}\}")

_CHAT = "n8n-nodes-base.whatsAppTrigger"


def _scheduled(**settings: str) -> str:
    nodes = [node("Every morning", "scheduleTrigger"), webhook(), INIT, SUBMIT]
    edges = {"Every morning": ["Codika Init"], "Orders arrive": ["Codika Init"]}
    edges["Codika Init"] = ["Submit Result"]
    return written(nodes, edges, settings={**SETTINGS, **settings})


def _answering(**parameters: str) -> str:
    trigger = webhook()
    return chain({**trigger, "parameters": {**trigger["parameters"], **parameters}}, INIT, SUBMIT)


def _asking(scope: Scope) -> str:
    given = {name: scope.placeholder(f"OPENAI_{name.upper()}") for name in ("id", "name")}
    return parent(node("Ask the model", "openAi", credentials={"openAiApi": given}))


def _chatting(**parameters: object) -> str:
    trigger = node("Somebody writes", "whatsAppTrigger", {"updates": ["messages"], **parameters})
    return chain(trigger, INIT, SUBMIT)


@rule(
    "GUIDE-RESPONSE-MODE",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: parent()),
    good=one(lambda: _answering(responseMode="lastNode")),
)
def webhooks_say_when_they_answer(workflow: Workflow) -> Iterator[Problem]:
    """A Webhook node answers when the workflow ended (`lastNode`), or where a node of its own answers.

    So that whoever calls learns of a failure. `responseNode` needs such a node.
    """
    answers = any(_ANSWERS in found.lower_type for found in workflow.nodes)
    for found in workflow.nodes:
        mode = text_of(found.parameters.get("responseMode")) or "onReceived"
        if found.type != WEBHOOK or mode == "lastNode" or (mode == "responseNode" and answers):
            continue
        said = "and no node does" if mode == "responseNode" else "before anything was done"
        yield Problem(
            f'Webhook "{found.name}" answers by "{mode}", {said}',
            "Set responseMode to lastNode, or to responseNode and add a Respond to Webhook node.",
            found.at("parameters", "responseMode"),
            node_id=found.id,
        )


@rule(
    "GUIDE-TIMEZONE",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: _scheduled()),
    good=one(lambda: _scheduled(timezone="Europe/Paris")),
)
def schedules_have_a_time_zone(workflow: Workflow) -> Iterator[Problem]:
    """A workflow that runs on a schedule says in which time zone.

    Otherwise nine o'clock is nine o'clock where the server stands.
    """
    for found in workflow.nodes:
        if "scheduletrigger" in found.lower_type and not text_of(workflow.settings.get("timezone")):
            yield Problem(
                f'Schedule "{found.name}" has no time zone',
                'Set "timezone" in the settings of the workflow, e.g. "Europe/Paris".',
                "/settings/timezone",
                node_id=found.id,
            )


@rule(
    "GUIDE-TRIGGER-ID",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: chain(node("Somebody writes", "telegramTrigger", webhookId="chat"), INIT, SUBMIT)),
    good=one(
        lambda: chain(
            node("Somebody writes", "telegramTrigger", webhookId=f"chat-{INSTALLATION}"), INIT, SUBMIT
        )
    ),
)
def installations_have_own_triggers(workflow: Workflow) -> Iterator[Problem]:
    """The `webhookId` of a service's trigger holds the placeholder of the installation.

    Two installations with the same one take each other's events.
    """
    for found in workflow.nodes:
        own = found.lower_type.endswith("trigger") and not found.lower_type.endswith(_OWN_TRIGGERS)
        given = text_of(found.data.get("webhookId"))
        if own and given and INSTALLATION not in given:
            yield Problem(
                f'Trigger "{found.name}" has the same webhookId in every installation',
                f"Make {INSTALLATION} a part of it.",
                found.at("webhookId"),
                node_id=found.id,
            )


@rule(
    "GUIDE-WHATSAPP-FILTER",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: _chatting()),
    good=one(lambda: _chatting(options={"messageStatusUpdates": []})),
)
def whatsapp_is_filtered(workflow: Workflow) -> Iterator[Problem]:
    """A WhatsApp trigger begins runs for messages alone.

    WhatsApp tells as well that messages were delivered and read, each time as if something had been written.
    Turn that off in the options of the trigger, or look at it in the node right after.
    """
    for found in workflow.nodes:
        if found.type == _CHAT and not _is_filtered(workflow, found):
            yield Problem(
                f'WhatsApp trigger "{found.name}" also begins runs when messages are delivered or read',
                "Set options.messageStatusUpdates to [], or put an IF or Filter node right after it.",
                found.at("parameters"),
                node_id=found.id,
            )


def _is_filtered(workflow: Workflow, found: Node) -> bool:
    told = object_of(found.parameters.get("options")).get("messageStatusUpdates")
    return told == [] or any(after.type in _FILTERS for after in workflow.after(found))


@rule(
    "GUIDE-SYSCREDS",
    Severity.SHOULD,
    Layer.GUIDE,
    excluded=True,
    bad=one(lambda: _asking(Scope.PLATFORM_CREDENTIAL)),
    good=one(lambda: _asking(Scope.FLEXIBLE_CREDENTIAL)),
)
def credentials_are_not_the_platforms(workflow: Workflow) -> Iterator[Problem]:
    """Workflows do not ask for the platform's own credentials.

    `FLEXCRED` stands for the organization's own where it has one, and for the platform's otherwise.
    """
    for match in _PLATFORMS.finditer(workflow.source.text):
        yield Problem(
            f"{match[0]} is a credential of the platform itself",
            "Use FLEXCRED instead.",
            offset=match.start(),
        )

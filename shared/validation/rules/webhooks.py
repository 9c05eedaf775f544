"""Layer 3: webhooks that keep their address, and that only the platform calls (platform §23.5, 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.edits import Put
from shared.validation.engine.examples import INIT, SUBMIT, WEBHOOK_CREDENTIAL, chain, one, parent, webhook
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Node, Workflow, object_of, text_of

WEBHOOK = "n8n-nodes-base.webhook"
_NO_WORD = pattern(r"[^a-z0-9]+")


@rule(
    "WEBHOOK-ID",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: chain(webhook(webhookId=""), INIT, SUBMIT)),
    good=one(lambda: parent()),
)
def webhook_has_id(workflow: Workflow) -> Iterator[Problem]:
    """A Webhook node has a `webhookId`.

    Without one n8n registers it under an address nobody was told.
    """
    for found in workflow.nodes:
        if found.type == WEBHOOK and not text_of(found.data.get("webhookId")):
            slug = _NO_WORD.sub("-", found.name.lower()).strip("-") or "webhook"
            yield Problem(
                f'Webhook node "{found.name}" is missing webhookId property',
                f'Add "webhookId": "{slug}" to the node.',
                found.at(),
                node_id=found.id,
                edit=(Put(found.at(), "webhookId", slug),),
                corrected=True,
            )


@rule(
    "WEBHOOK-AUTH",
    Severity.MUST,
    Layer.CONTENT,
    fixable=True,
    bad=one(lambda: chain(webhook(credentials={}), INIT, SUBMIT)),
    good=one(lambda: parent()),
)
def webhook_is_secured(workflow: Workflow) -> Iterator[Problem]:
    """A Webhook node asks for the header that only the platform knows.

    Whoever knows the address could start runs past the platform otherwise: unchecked, and unpaid.
    """
    if workflow.is_subworkflow:
        return
    for found in workflow.nodes:
        if found.type == WEBHOOK and (wrong := list(_missing(found))):
            yield Problem(
                f'Webhook node "{found.name}" is not secured with the platform\'s webhook auth: '
                + "; ".join(wrong),
                "Set authentication to headerAuth and its credential to the two ORGSECRET placeholders.",
                found.at("parameters"),
                node_id=found.id,
                edit=tuple(_secured(found)),
            )


def _missing(found: Node) -> Iterator[str]:
    authentication = text_of(found.parameters.get("authentication")) or "none"
    if authentication != "headerAuth":
        yield f'authentication is "{authentication}" (expected "headerAuth")'
    given = object_of(object_of(found.data.get("credentials")).get("httpHeaderAuth"))
    for name, value in WEBHOOK_CREDENTIAL.items():
        if given.get(name) != value:
            yield f"credentials.httpHeaderAuth.{name} is missing or incorrect"


def _secured(found: Node) -> Iterator[Put]:
    if isinstance(found.data.get("parameters"), dict):
        yield Put(found.at("parameters"), "authentication", "headerAuth")
    else:
        yield Put(found.at(), "parameters", {"authentication": "headerAuth"})
    if isinstance(found.data.get("credentials"), dict):
        yield Put(found.at("credentials"), "httpHeaderAuth", WEBHOOK_CREDENTIAL)
    else:
        yield Put(found.at(), "credentials", {"httpHeaderAuth": WEBHOOK_CREDENTIAL})

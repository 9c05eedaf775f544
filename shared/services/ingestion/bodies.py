"""From an ingestion's workflow file to what n8n is to be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.ensemble import Context, Origin, WorkflowBody, guard, lower
from shared.errors import InvalidConfiguration
from shared.model.configuration import DataIngestion as Config
from shared.model.ingestion import DataIngestion, WebhookUrls
from shared.n8n.liveness import WebhookAddress, marker, marker_node
from shared.n8n.workflows import WorkflowBody as N8nWorkflowBody
from shared.placeholders import Resolution, Values, resolve, resolve_workflow
from shared.services.deployments.work import Tenant
from shared.services.integrations.missing import MissingIntegrations

_WEBHOOK = "n8n-nodes-base.webhook"
_SCAFFOLDED_PATH = re.compile(r"=\{\{\s*\$json\.webhook_path\s*\|\|\s*'[^']*'\s*\}\}")
_UNKNOWN = "not created yet"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The workflow as it is sent; n8n runs it once ``marker`` is registered."""

    body: N8nWorkflowBody
    marker: WebhookAddress


def origin_of(ingestion: DataIngestion) -> Origin:
    """Return where the workflow comes from; it names the workflow in n8n, unlike any other."""
    return Origin(
        ingestion.title, ingestion.workflow_name, ingestion.workflow_template_id, ingestion.data_ingestion_id
    )


def check(ingestion: DataIngestion, config: Config, text: str, values: Values, tenant: Tenant) -> WebhookUrls:
    """Check that the workflow keeps to its own process; return the addresses it will be called at.

    Raises:
        MissingIntegrations, InvalidConfiguration, InvalidWorkflowJson.
    """
    paths = {name: _declared(getattr(config.webhooks, name), values) for name in ("embed", "delete")}
    if paths["embed"] == paths["delete"]:
        raise InvalidConfiguration("webhooks.embed and webhooks.delete must be two paths.", field="webhooks")
    body, credentials = _lowered(ingestion, text, values, tenant, paths["embed"])
    context = Context(
        process_id=ingestion.process_id,
        instance_id=None,
        credentials=credentials,
        workflow_ids=frozenset({_UNKNOWN}),
        error_workflow_id=tenant.organization.error_workflow_id,
        platform_credentials=values.platform_credential_ids,
    )
    guard({ingestion.workflow_template_id: body}, context)
    webhooks = [node for node in body["nodes"] if node.get("type") == _WEBHOOK]
    # A workflow with one webhook embeds and cannot delete, as the one that `codika init` writes.
    for name in ("embed", "delete") if len(webhooks) > 1 else ("embed",):
        _require_answered(name, paths[name], body)
    base = tenant.backend.base_url.rstrip("/")
    return WebhookUrls(embed=f"{base}/webhook/{paths['embed']}", delete=f"{base}/webhook/{paths['delete']}")


def prepare(ingestion: DataIngestion, text: str, values: Values, tenant: Tenant) -> Prepared:
    """Return the workflow with a marker of its own.

    Raises:
        MissingIntegrations, InvalidConfiguration, InvalidWorkflowJson.
    """
    embed = ingestion.webhook_urls.embed.partition("/webhook/")[2]
    body, _ = _lowered(ingestion, text, values, tenant, embed)
    auth = tenant.webhook_auth
    path = f"{ingestion.process_id}/live/{ingestion.data_ingestion_id}"
    node = marker_node(path, auth.credential_id, auth.credential_name)
    marked = N8nWorkflowBody.model_validate({**body, "nodes": [*body["nodes"], node]})
    return Prepared(marked, marker(path))


def rehearsed(prepared: Prepared) -> Prepared:
    """Return the workflow without its webhooks, under another marker: n8n may run it beside the old one."""
    path = f"{prepared.marker.path}-rehearsal"
    nodes = [_silent(node, prepared.marker.path, path) for node in prepared.body.nodes]
    return replace(prepared, body=prepared.body.model_copy(update={"nodes": nodes}), marker=marker(path))


def _silent(node: Mapping[str, object], own: str, path: str) -> dict[str, object]:
    given = node.get("parameters")
    parameters = given if isinstance(given, Mapping) else {}
    if parameters.get("path") == own:
        return {**node, "parameters": {**parameters, "path": path}}
    return {**node, "disabled": True} if node.get("type") == _WEBHOOK else dict(node)


def _lowered(
    ingestion: DataIngestion, text: str, values: Values, tenant: Tenant, embed: str
) -> tuple[WorkflowBody, Mapping[str, str]]:
    document, resolution = resolve_workflow(text, values, ingestion.workflow_template_id)
    if document is None:
        raise _refusal(resolution)
    body = lower(
        _with_path(document, embed),
        origin_of(ingestion),
        credentials=resolution.credentials,
        error_workflow_id=tenant.organization.error_workflow_id,
    )
    return body, resolution.credentials


def _refusal(resolution: Resolution) -> InvalidConfiguration:
    if missing := resolution.missing_integrations:
        return MissingIntegrations(missing)
    reason = "; ".join(str(problem) for problem in resolution.problems)
    return InvalidConfiguration(f"Placeholders cannot be resolved: {reason}.", reason=reason)


def _with_path(document: Mapping[str, object], embed: str) -> Mapping[str, object]:
    """Give the Webhook node that `codika init` writes the declared path; n8n would take its text for one."""
    nodes = document.get("nodes")
    if not isinstance(nodes, list):
        return document
    return {**document, "nodes": [_path_given(node, embed) for node in nodes]}


def _path_given(node: object, embed: str) -> object:
    stated = node.get("parameters") if isinstance(node, Mapping) and node.get("type") == _WEBHOOK else None
    if not isinstance(node, Mapping) or not isinstance(stated, Mapping):
        return node
    path = stated.get("path")
    if not isinstance(path, str) or _SCAFFOLDED_PATH.fullmatch(path) is None:
        return node
    return {**node, "parameters": {**stated, "path": embed}}


def _declared(given: str, values: Values) -> str:
    return resolve(given, values, plain=True).complete().strip("/")


def _require_answered(name: str, path: str, body: WorkflowBody) -> None:
    if path not in {p for node in body["nodes"] for p in _posted_to(node)}:
        reason = f"'{path}' is the path of none of the workflow's Webhook nodes that take POST"
        raise InvalidConfiguration(f"webhooks.{name}: {reason}.", field=f"webhooks.{name}", reason=reason)


def _posted_to(node: Mapping[str, object]) -> list[str]:
    parameters = node.get("parameters")
    if node.get("type") != _WEBHOOK or node.get("disabled") or not isinstance(parameters, Mapping):
        return []
    methods, path = parameters.get("httpMethod", "GET"), parameters.get("path")
    listed = methods if isinstance(methods, list) else [methods]
    return [path.removeprefix("=").strip("/")] if "POST" in listed and isinstance(path, str) else []

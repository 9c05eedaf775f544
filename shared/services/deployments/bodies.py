"""From a use case's files to what n8n is to be sent, for given n8n ids of the siblings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.ensemble import Context, Origin, WorkflowBody, content_hash, guard, lower, order, references
from shared.n8n.liveness import WebhookAddress, marker, marker_node
from shared.n8n.workflows import WorkflowBody as N8nWorkflowBody
from shared.placeholders import Resolution, Values, resolve_workflow
from shared.services.deployments.values import with_subworkflows
from shared.services.deployments.work import Work
from shared.services.integrations.missing import MissingIntegrations


@dataclass(frozen=True, slots=True)
class Prepared:
    """One workflow ready to send. ``content_hash`` does not cover the marker, which is named after it."""

    workflow_id: str
    body: N8nWorkflowBody
    content_hash: str
    marker: WebhookAddress


class Preparation:
    """Resolves and lowers the workflows of one deployment.

    ``salt`` makes live markers differ from those of the same content that n8n may have already.
    """

    def __init__(self, work: Work, values: Values, salt: str = "") -> None:
        self._work = work
        self._values = values
        self._salt = f"-{salt}" if salt else ""
        self._auth = work.tenant.webhook_auth
        self._calls = {name: references(text) for name, text in work.texts.items()}
        self.levels = order(self._calls)
        """Workflows by level, children first."""

    def check(self) -> None:
        """Resolve everything and check that it keeps to its own installation, before n8n is called.

        Raises:
            MissingIntegrations, InvalidConfiguration, InvalidWorkflowJson.
        """
        known = self._known_ids()
        ids = {name: known.get(name, f"pending-{name}") for name in self._work.texts}
        documents, credentials = self._resolve_all(ids)
        bodies = {name: self._lower(name, d, ids, credentials) for name, d in documents.items()}
        deployment, organization = self._work.deployment, self._work.tenant.organization
        context = Context(
            process_id=deployment.process_id,
            instance_id=deployment.process_instance_id,
            credentials=credentials,
            workflow_ids=frozenset(ids.values()),
            error_workflow_id=organization.error_workflow_id,
            platform_credentials=self._values.platform_credential_ids,
        )
        guard(bodies, context)

    def prepare(self, workflow_id: str, ids: Mapping[str, str]) -> Prepared:
        """Return one workflow; the ids of those it calls must be known."""
        values = with_subworkflows(self._values, ids)
        document, resolution = resolve_workflow(self._work.texts[workflow_id], values, workflow_id)
        if document is None:
            resolution.complete()
            raise AssertionError("a resolution without problems has a document")
        body = self._lower(workflow_id, document, ids, resolution.credentials)
        digest = content_hash(body)
        path = live_path(self._work, digest[:32] + self._salt)
        node = marker_node(path, self._auth.credential_id, self._auth.credential_name)
        marked = N8nWorkflowBody.model_validate({**body, "nodes": [*body["nodes"], node]})
        return Prepared(workflow_id, marked, digest, marker(path))

    def _known_ids(self) -> dict[str, str]:
        return {row.workflow_id: row.n8n_workflow_id for row in self._work.live if row.n8n_workflow_id}

    def _resolve_all(self, ids: Mapping[str, str]) -> tuple[dict[str, dict[str, object]], dict[str, str]]:
        values = with_subworkflows(self._values, ids)
        resolved = {
            name: resolve_workflow(text, values, name, index)
            for index, (name, text) in enumerate(self._work.texts.items())
        }
        self._raise_for_missing([resolution for _, resolution in resolved.values()])
        documents = {name: document for name, (document, _) in resolved.items() if document is not None}
        credentials = {i: name for _, r in resolved.values() for i, name in r.credentials.items()}
        return documents, credentials

    @staticmethod
    def _raise_for_missing(resolutions: list[Resolution]) -> None:
        missing = dict.fromkeys(uid for r in resolutions for uid in r.missing_integrations)
        if missing:
            raise MissingIntegrations(missing)
        for resolution in resolutions:
            resolution.complete()

    def _lower(
        self,
        workflow_id: str,
        document: Mapping[str, object],
        ids: Mapping[str, str],
        credentials: Mapping[str, str],
    ) -> WorkflowBody:
        callers = [ids[name] for name, called in self._calls.items() if workflow_id in called and name in ids]
        return lower(
            document,
            origin_of(self._work, workflow_id),
            credentials=credentials,
            error_workflow_id=self._work.tenant.organization.error_workflow_id,
            caller_ids=callers,
        )


def origin_of(work: Work, workflow_id: str) -> Origin:
    """Return where a workflow comes from; it names the workflow in n8n."""
    title = f"{work.configuration.title} ({work.instance.environment.value})"
    return Origin(title, work.workflow(workflow_id).workflow_name, workflow_id, work.instance_id)


def live_path(work: Work, version: str) -> str:
    """Return the path of the webhook that n8n registers when it runs a version."""
    return f"{work.deployment.process_id}/{work.instance_id}/live/{version}"

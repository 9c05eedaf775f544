"""Everything one deployment works with, from the documents or fresh from the request."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from shared.errors import Internal, NotFound
from shared.model.configuration import Configuration, Workflow
from shared.model.deployment import DeploymentInstance, Purpose, WorkflowRow
from shared.model.instance import ProcessInstance
from shared.model.instance_events import goes_live
from shared.model.organization import Member, N8nBackend, Organization, WebhookAuth
from shared.model.template import Template
from shared.n8n.client import N8nClient
from shared.services.platform import Platform
from shared.services.secrets import backend_api_key, open_text
from shared.store import refs
from shared.store.store import Found


def no_member(who: str = "The user") -> NotFound:
    """Return the refusal of what needs its owner to be a member."""
    return NotFound(
        f"{who}, who owns the process instance, not found in the organization. Add them again.",
        code="USER_NOT_FOUND",
    )


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organization, the installation's owner as its member, and the n8n it runs on.

    An owner who left has no membership. What runs can still be switched off, but nothing be deployed.
    """

    organization_id: str
    organization: Organization
    membership: Member | None
    backend: N8nBackend

    @property
    def member(self) -> Member:
        """The owner's membership.

        Raises:
            NotFound (``USER_NOT_FOUND``): they left.
        """
        if self.membership is None:
            raise no_member()
        return self.membership

    @property
    def webhook_auth(self) -> WebhookAuth:
        """The credential of the organization's webhooks.

        Raises:
            Internal: the organization was never provisioned.
        """
        if self.organization.webhook_auth is None:
            raise Internal("The organization is not provisioned: it has no webhook credential.")
        return self.organization.webhook_auth


@dataclass(frozen=True, slots=True)
class Work:
    """One deployment to bring into n8n.

    ``texts`` are the workflow files by template id, placeholders unresolved; ``publisher_id`` is the
    organization they belong to. ``replaces`` is the deployment
    that runs now, ``None`` on the first.
    """

    deployment_id: str
    deployment: DeploymentInstance
    instance: ProcessInstance
    tenant: Tenant
    configuration: Configuration
    texts: dict[str, str]
    publisher_id: str
    replaces: DeploymentInstance | None

    @property
    def live(self) -> list[WorkflowRow]:
        """The workflows that run now."""
        return self.replaces.workflows if self.replaces else []

    @property
    def instance_id(self) -> str:
        """The installation."""
        return self.deployment.process_instance_id

    @property
    def may_have_leftovers(self) -> bool:
        """Whether an earlier attempt may have left workflows in n8n that no document names."""
        deployment = self.deployment
        return deployment.attempts > 1 or deployment.reruns > 0 or deployment.previous_id is not None

    @property
    def was_running(self) -> bool:
        """Whether n8n runs the installation's workflows now."""
        return self.replaces is not None and self.instance.is_active

    @property
    def goes_live(self) -> bool:
        """Whether the workflows are to run afterwards; else the installation stays paused (decision 0015)."""
        return goes_live(self.deployment.purpose, self.instance)

    @property
    def trusts_n8n(self) -> bool:
        """Whether n8n is believed to have what was deployed last; otherwise it is looked at, and repaired."""
        return self.deployment.purpose not in (Purpose.RERUN, Purpose.REPAIR)

    def workflow(self, workflow_id: str) -> Workflow:
        """Return the configuration of one workflow."""
        return next(w for w in self.configuration.workflows if w.workflow_template_id == workflow_id)


async def load_tenant(
    platform: Platform, organization_id: str, user_id: str, *, departed: bool = False
) -> Tenant:
    """Return a tenant, read in two round trips. A user who ``departed`` need not be a member any more.

    Raises:
        NotFound: ``ORGANIZATION_NOT_FOUND``, ``USER_NOT_FOUND`` when the user is no member of it.
        Internal: its backend is not there.
    """
    organization, member = await platform.store.fetch(
        refs.organization(organization_id), refs.member(organization_id, user_id)
    )
    backend_id = organization.value.backend_id if organization else ""
    needed = organization is not None and (member is not None or departed)
    backend = await platform.store.get(refs.backend(backend_id)) if needed else None
    return tenant_of(organization_id, user_id, organization, member, backend, departed=departed)


def tenant_of(
    organization_id: str,
    user_id: str,
    organization: Found[Organization] | None,
    member: Found[Member] | None,
    backend: Found[N8nBackend] | None,
    *,
    departed: bool = False,
) -> Tenant:
    """Return a tenant from its documents.

    Raises: as :func:`load_tenant`.
    """
    if organization is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    if member is None and not departed:
        raise no_member(f"User {user_id}")
    if backend is None:
        raise Internal("The organization has no n8n backend.")
    return Tenant(organization_id, organization.value, member.value if member else None, backend.value)


async def load_work(platform: Platform, deployment_id: str, deployment: DeploymentInstance) -> Work:
    """Return a deployment's work from what was recorded, for a worker that takes it over.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``)
        Internal: a document the deployment refers to is missing.
    """
    instance, template = await platform.store.fetch(
        refs.instance(deployment.process_instance_id), refs.template(deployment.template_id)
    )
    if instance is None or template is None:
        raise Internal(f"Deployment {deployment_id} refers to documents that do not exist.")
    owner = instance.value.user_id
    tenant = await load_tenant(platform, deployment.organization_id, owner, departed=True)
    configuration, texts = await load_template(platform, template.value)
    return Work(
        deployment_id=deployment_id,
        deployment=deployment,
        instance=instance.value,
        tenant=tenant,
        configuration=configuration,
        texts=texts,
        publisher_id=template.value.organization_id,
        replaces=await live_deployment(platform, instance.value),
    )


async def load_template(platform: Platform, template: Template) -> tuple[Configuration, dict[str, str]]:
    """Return a template's configuration, which nobody changes, and its workflow files.

    They never change: a process reads and parses them once for any number of installations.
    """
    blobs = tuple(template.workflow_blobs.items())
    key = (template.organization_id, template.configuration_blob, blobs)
    configuration, texts = await platform.templates.get(key, lambda: _read_template(platform, template))
    return configuration, dict(texts)


async def _read_template(platform: Platform, template: Template) -> tuple[Configuration, dict[str, str]]:
    digests = [template.configuration_blob, *template.workflow_blobs.values()]
    contents = await platform.blobs.get(template.organization_id, digests)
    configuration = Configuration.model_validate(orjson.loads(contents[template.configuration_blob]))
    texts = {name: contents[digest].decode() for name, digest in template.workflow_blobs.items()}
    return configuration, texts


async def live_deployment(platform: Platform, instance: ProcessInstance) -> DeploymentInstance | None:
    """Return the deployment that runs now for an installation."""
    if instance.live_deployment_instance_id is None:
        return None
    live = await platform.store.get(refs.deployment(instance.live_deployment_instance_id))
    return live.value if live else None


async def n8n_of(platform: Platform, tenant: Tenant) -> N8nClient:
    """Return a client of the tenant's n8n."""
    secret = backend_api_key(tenant.organization.backend_id)
    api_key = await open_text(platform, tenant.backend.api_key, secret)
    return platform.n8n.client(tenant.backend.base_url, api_key)

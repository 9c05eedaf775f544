"""Many installations of one use case, made quickly: copies of one that the platform itself deployed.

A copy has documents and workflows of its own: instance, deployment, endpoints, owners of workflows, claim,
member with an execution secret. It has no run and no API key that works, which no rollout touches.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from bench.load import each
from bench.rollout.site import Site
from shared.ensemble import Origin
from shared.model.deployment import DeploymentInstance
from shared.model.document import Document
from shared.model.instance import ProcessInstance
from shared.model.listing import Installation
from shared.model.organization import Organization, Role
from shared.services.organizations.members import joined, membership
from shared.services.secrets import instance_key, seal_text
from shared.store import refs
from shared.store.store import Create, Write
from tests.chaos.ensemble import Ensemble
from tests.integration.world.n8n import ScriptedN8n
from tests.integration.world.tenants import Tenant, create_tenant

NAMES = ("leaf-a", "leaf-b", "alpha")
"""A parent and its two sub-workflows."""
_COPIES_A_CALL = 100
_WRITES_A_COMMIT = 250

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Fleet:
    """A process, who publishes it, and its installations."""

    publisher: Tenant = field(repr=False)
    project_id: str
    process_id: str
    production_id: str
    instance_ids: Sequence[str] = field(repr=False)
    organization_ids: Sequence[str]

    @property
    def key(self) -> str:
        """The publisher's."""
        return self.publisher.keys["owner"]


@dataclass(frozen=True, slots=True)
class _Original:
    instance_id: str
    instance: ProcessInstance
    deployment: DeploymentInstance
    documents: Mapping[str, Document]


async def create_fleet(site: Site, count: int, organizations: int, seed: int) -> Fleet:
    """Deploy and publish version 1.0, and make ``count`` installations of it in so many organizations."""
    n8n = ScriptedN8n(port=site.n8n_port)
    publisher = await create_tenant(site.platform, "Publisher", n8n)
    tenants = [await create_tenant(site.platform, f"Tenant {n}", n8n) for n in range(organizations)]
    project = await site.call("POST", "/createProjectViaApiKey", publisher.keys["owner"], {"name": "Fan-out"})
    project_id = str(project["projectId"])
    production_id, process_id = await release(site, publisher.keys["owner"], project_id, "1.0")
    original = await _original(site, production_id)
    chance = random.Random(seed)
    ids = [_id(chance) for _ in range(count)]
    homes = [tenants[place % organizations] for place in range(count)]
    batches = range(0, count, _COPIES_A_CALL)

    async def copied(start: int) -> None:
        part = slice(start, start + _COPIES_A_CALL)
        await _copy(site, original, list(zip(ids[part], homes[part], strict=True)))

    await each(batches, 4, copied)
    homes_ids = [tenant.organization_id for tenant in tenants]
    return Fleet(publisher, project_id, process_id, production_id, ids, homes_ids)


def _id(chance: random.Random) -> str:
    """Return an id like those of installations that were begun a month or so ago."""
    stamp = int(time.time() * 1000) - chance.randrange(30, 60) * 86_400_000
    return str(
        uuid.UUID(int=stamp << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62))
    )


async def release(site: Site, key: str, project_id: str, mark: str) -> tuple[str, str]:
    """Deploy the use case with a mark and publish it; return the ids of production and of the process."""
    template_id, process_id = await deploy(site, key, project_id, mark)
    published = await publish(site, key, project_id, template_id)
    return str(published["processInstanceId"]), process_id


async def deploy(site: Site, key: str, project_id: str, mark: str) -> tuple[str, str]:
    """Deploy the use case with a mark; return the ids of the version and of the process."""
    configuration = Ensemble("Fan-out", mark, NAMES).configuration()
    body = {"projectId": project_id, "configuration": configuration}
    deployed = await site.call("POST", "/deployProcessUseCase", key, body)
    assert deployed["deploymentStatus"] == "deployed", deployed
    return str(deployed["templateId"]), str(deployed["processId"])


async def publish(site: Site, key: str, project_id: str, template_id: str) -> dict[str, object]:
    """Publish a version and return the answer's data."""
    body = {"projectId": project_id, "processDeploymentId": template_id}
    return await site.call("POST", "/publishProcessDeploymentPublic", key, body)


async def _original(site: Site, instance_id: str) -> _Original:
    store = site.platform.store
    instance = await store.get(refs.instance(instance_id))
    assert instance is not None
    live = instance.value.live_deployment_instance_id
    deployment = await store.get(refs.deployment(live or ""))
    assert deployment is not None
    organization_id = instance.value.organization_id
    rows = deployment.value.workflows
    wanted = [refs.endpoint(instance_id, row.workflow_id) for row in rows]
    owners = [refs.n8n_workflow(organization_id, row.n8n_workflow_id or "") for row in rows]
    found = await store.fetch(*wanted, *owners)
    return _Original(
        instance_id, instance.value, deployment.value, {one.ref.path: one.value for one in found}
    )


async def _copy(site: Site, original: _Original, places: Sequence[tuple[str, Tenant]]) -> None:
    deployment_ids = [site.platform.sources.auto_id() for _ in places]
    users = [site.platform.sources.auto_id() for _ in places]
    texts = [
        {
            original.instance_id: instance_id,
            original.instance.organization_id: tenant.organization_id,
            original.instance.user_id: user,
            str(original.instance.live_deployment_instance_id): deployment_id,
            **_markers(original, instance_id),
        }
        for (instance_id, tenant), deployment_id, user in zip(places, deployment_ids, users, strict=True)
    ]
    n8n_ids = [row.n8n_workflow_id or "" for row in original.deployment.workflows]
    asked = {"ids": n8n_ids, "texts": texts}
    copies = cast("list[dict[str, list[str]]]", await site.stand_in("copy", asked))
    writes: list[Write] = []
    for (instance_id, tenant), mapping, made in zip(places, texts, copies, strict=True):
        for row in original.deployment.workflows:
            workflow_id, version_id = made[row.n8n_workflow_id or ""]
            mapping |= {row.n8n_workflow_id or "": workflow_id, row.n8n_version_id or "": version_id}
        writes += await _documents(site, original, instance_id, tenant, mapping)
    for start in range(0, len(writes), _WRITES_A_COMMIT):
        await site.platform.store.commit(*writes[start : start + _WRITES_A_COMMIT])


def _markers(original: _Original, instance_id: str) -> Mapping[str, str]:
    """Return what the names of workflows end in, old and new."""
    ids = [row.workflow_id for row in original.deployment.workflows]
    return {_marker(original.instance_id, name): _marker(instance_id, name) for name in ids}


def _marker(instance_id: str, workflow_id: str) -> str:
    return Origin("", "", workflow_id, instance_id).marker


async def _documents(
    site: Site, original: _Original, instance_id: str, tenant: Tenant, texts: Mapping[str, str]
) -> list[Write]:
    platform, organization_id = site.platform, tenant.organization_id
    organization = await platform.store.get(refs.organization(organization_id))
    assert organization is not None
    user_id = texts[original.instance.user_id]
    key = await seal_text(platform, "ck_copied", instance_key(organization_id, instance_id))
    instance = _like(original.instance, texts).model_copy(update={"instance_key": key})
    deployment = _like(original.deployment, texts).model_copy(update={"previous_id": None})
    claim = Installation(
        organization_id=organization_id,
        process_id=instance.process_id,
        process_instance_id=instance_id,
        user_id=user_id,
    )
    copied = [
        Create(refs.Ref(_replaced(path, texts), type(value)), _of(value, texts, organization.value))
        for path, value in original.documents.items()
    ]
    return [
        Create(refs.instance(instance_id), instance),
        Create(refs.deployment(instance.current_deployment_instance_id), deployment),
        Create(refs.installation(instance.process_id, user_id), claim),
        await membership(platform, organization_id, user_id, Role.MEMBER),
        joined(platform, organization_id, user_id, None),
        *copied,
    ]


def _of(value: Document, texts: Mapping[str, str], organization: Organization) -> Document:
    copy = _like(value, texts)
    assert organization.webhook_auth is not None
    secret = {"webhook_secret": organization.webhook_auth.secret}
    return copy.model_copy(update=secret) if "webhook_secret" in type(value).model_fields else copy


def _like(value: D, texts: Mapping[str, str]) -> D:
    return type(value).model_validate_json(_replaced(value.model_dump_json(by_alias=True), texts))


def _replaced(text: str, texts: Mapping[str, str]) -> str:
    for old, new in texts.items():
        text = text.replace(old, new)
    return text

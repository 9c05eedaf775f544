"""Projects of a tenant, made over HTTP, and versions of them as a deploy records them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.model.audit import AuditAction, AuditEvent
from shared.model.project import Process
from shared.model.template import StoredFile, Template, VersionClaim
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Create, Patch, Put
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World


async def new_project(world: World, tenant: Tenant | None = None, user: str = "owner", **body: Any) -> str:
    """Create a project, by default as the owner of ``north``; return its id."""
    key = (tenant or world.north).keys[user]
    answer = await world.gateway.post("/createProjectViaApiKey", key, {"name": "Inbox", **body})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["projectId"])


async def record_version(
    world: World, project_id: str, version: str, files: Mapping[str, bytes], *, known_to_project: bool = True
) -> None:
    """Record a version with source files, as the latest of the project."""
    platform = world.platform
    found = await platform.store.get(refs.project(project_id))
    assert found is not None
    project = found.value
    digests = await platform.blobs.put(project.organization_id, files.values())
    process_id = project.process_id or platform.sources.auto_id()
    template_id = platform.sources.auto_id()
    template = Template(
        organization_id=project.organization_id,
        project_id=project_id,
        process_id=process_id,
        version=version,
        title="Inbox",
        configuration_blob="none",
        workflow_blobs={},
        files=[
            StoredFile(
                relative_path=path,
                storage_path=f"templates/{template_id}/{path}",
                content_type="text/plain",
                size_bytes=len(content),
                blob=digest,
            )
            for (path, content), digest in zip(files.items(), digests, strict=True)
        ],
        created_by=project.created_by,
        created_at=platform.sources.now(),
    )
    process = Process(
        organization_id=project.organization_id,
        project_id=project_id,
        owner_id=project.created_by,
        title="Inbox",
        latest_version=version,
        latest_template_id=template_id,
        dev_instance_id=platform.sources.uuid7(),
        created_at=platform.sources.now(),
    )
    claim = VersionClaim(organization_id=project.organization_id, template_id=template_id)
    latest = {"latest_template_id": template_id} if known_to_project else {}
    await platform.store.commit(
        Create(refs.template(template_id), template),
        Create(refs.version_claim(process_id, version), claim),
        Put(refs.process(process_id), process),
        Patch(found.ref, {"process_id": process_id, **latest}),
    )


async def audit_log(world: World, target: str, tenant: Tenant | None = None) -> list[AuditEvent]:
    """Return what the audit log says was done to something, oldest first; refusals are not among it."""
    organization = refs.organization((tenant or world.north).organization_id)
    about = below(organization, "auditEvents", AuditEvent).where("target", "==", target)
    events = [found.value for found in await find(world.platform.store, about)]
    events = [event for event in events if event.action is not AuditAction.ACCESS_REFUSED]
    return sorted(events, key=lambda event: event.event_id)

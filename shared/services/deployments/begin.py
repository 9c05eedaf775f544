"""The documents by which a version's deployment to one installation begins (design §5).

Whoever wants it commits them together with documents of its own, and then carries the deployment out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Conflict
from shared.model.configuration import Configuration
from shared.model.deployment import DeploymentInstance, DeploymentStatus, Lease, Purpose
from shared.model.instance import ProcessInstance
from shared.model.outline import outline_of
from shared.model.project import Project
from shared.model.template import Template
from shared.services.deployments.installation import Place, new_installation
from shared.services.deployments.lease import HeldLease, new_lease
from shared.services.deployments.lifecycle import at_work
from shared.services.deployments.lock import held, in_progress, is_locked, locking
from shared.services.deployments.stuck import stuck_holders, superseding, unsettling, unsettling_elsewhere
from shared.services.deployments.work import Tenant, Work, live_deployment
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Found, Write
from shared.validation.parameters import effective_parameters


@dataclass(frozen=True, slots=True)
class Version:
    """What is deployed: a template with its configuration and workflow files."""

    template_id: str
    template: Template
    configuration: Configuration
    texts: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """A version's deployment to one installation, which ``place`` describes should it not exist yet.

    ``parameters`` go over those the installation has; ``None`` unsets one. ``changes`` are other fields it
    gets. ``pauses`` names the owner's other installation, if it must not stay active, ``rollout_id`` the
    rollout it is a target of.
    """

    deployment_id: str
    purpose: Purpose
    version: Version
    place: Place
    tenant: Tenant = field(repr=False)
    started_by: str
    now: datetime
    pauses: str | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    rollout_id: str | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """``writes`` to commit, the deployment's own first; ``lease`` and ``work`` are for whoever goes on."""

    writes: list[Write]
    work: Work
    lease: Lease

    def held(self, platform: Platform, version: datetime) -> HeldLease:
        """Return the right to go on, given the time of the first write."""
        return HeldLease(platform, refs.deployment(self.work.deployment_id), self.lease, version)


async def begin(
    platform: Platform,
    order: Order,
    found: Found[ProcessInstance] | None,
    project: Project | None,
    live: Found[DeploymentInstance] | None = None,
) -> Beginning:
    """Return how the deployment begins; ``found`` is the installation, ``None`` to make it.

    ``project`` is the one whose lock is taken with it, if it is one's own. ``live`` is the deployment that
    runs now, if it was read already.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``, ``INSTANCE_ARCHIVED``): another one is at work on the
            installation, or it was put away and would run unseen.
    """
    if found is not None and is_locked(found.value, order.now):
        raise in_progress("process instance")
    if found is not None and found.value.archived and order.purpose is Purpose.DEPLOY:
        raise Conflict(
            "The process instance of this project is archived. Unarchive it, then deploy again.",
            code="INSTANCE_ARCHIVED",
        )
    stuck = await stuck_holders(platform, *(one for one in (project, found and found.value) if one))
    here = [one for one in stuck if one.value.process_instance_id == order.place.instance_id]
    elsewhere = [one for one in stuck if one not in here]
    changes = dict(order.changes)
    for one in here:
        changes |= unsettling(one)
    instance, writes = await _installation(platform, order, found, changes)
    lease = new_lease(platform, platform.sources.uuid7())
    replaces = live.value if live else await live_deployment(platform, instance)
    await _bring_skills(platform, order, replaces)
    deployment = _deployment(order, found, lease)
    return Beginning(
        writes=[
            Create(refs.deployment(order.deployment_id), deployment),
            *writes,
            *await superseding(platform, stuck, order.now),
            *await unsettling_elsewhere(platform, elsewhere),
        ],
        work=Work(
            deployment_id=order.deployment_id,
            deployment=deployment,
            instance=instance,
            tenant=order.tenant,
            configuration=order.version.configuration,
            texts=order.version.texts,
            publisher_id=order.version.template.organization_id,
            replaces=replaces,
        ),
        lease=lease,
    )


async def _installation(
    platform: Platform, order: Order, found: Found[ProcessInstance] | None, changes: dict[str, object]
) -> tuple[ProcessInstance, list[Write]]:
    configuration = order.version.configuration
    merged = {**(found.value.deployment_parameters if found else {}), **order.parameters}
    stored = {name: value for name, value in merged.items() if value is not None}
    parameters = effective_parameters(
        configuration.deployment_input_schema, configuration.default_deployment_parameters, stored
    )
    changes = {
        **changes,
        "current_deployment_instance_id": order.deployment_id,
        "deployment_parameters": {**stored, **parameters},
        "title": configuration.title,
    }
    if found is None:
        taken = {**changes, **held(order.deployment_id, order.now)}
        version = order.version.template.version
        return await new_installation(platform, order.place, order.tenant, version, order.now, taken)
    return found.value.model_copy(update=changes), [locking(found, order.deployment_id, order.now, **changes)]


async def _bring_skills(platform: Platform, order: Order, replaces: DeploymentInstance | None) -> None:
    """Store what agents read where the installation's organization finds it: it may be another's process."""
    template, organization_id = order.version.template, order.tenant.organization_id
    if template.skills_blob is None or template.organization_id == organization_id:
        return
    if replaces is not None and replaces.skills_blob == template.skills_blob:
        return  # It was stored for the version that runs.
    contents = await platform.blobs.get(template.organization_id, [template.skills_blob])
    await platform.blobs.put(organization_id, contents.values())


def _deployment(order: Order, found: Found[ProcessInstance] | None, lease: Lease) -> DeploymentInstance:
    template, place = order.version.template, order.place
    return DeploymentInstance(
        organization_id=order.tenant.organization_id,
        process_instance_id=place.instance_id,
        process_id=place.process_id,
        project_id=place.project_id,
        template_id=order.version.template_id,
        version=template.version,
        purpose=order.purpose,
        deployment_status=at_work(DeploymentStatus.PENDING),
        previous_id=found.value.current_deployment_instance_id if found else None,
        skills_blob=template.skills_blob,
        outline=outline_of(order.version.configuration).kept(),
        lease=lease,
        attempts=1,
        rollout_id=order.rollout_id,
        pauses=order.pauses,
        started_by=order.started_by,
        created_at=order.now,
    )

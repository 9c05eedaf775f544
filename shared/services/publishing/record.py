"""Write a planned publication: listing, versions, and the start of production's deployment, in one commit.

Installations of others follow; the rollout that brings them along begins in this commit (decision 0018).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from shared.model.audit import AuditAction
from shared.model.deployment import Purpose
from shared.model.instance import Environment
from shared.model.listing import Listing
from shared.model.project import Process, ProjectStatus
from shared.model.template import TemplateStatus
from shared.model.transitions import moved, reached
from shared.services.audit import audited
from shared.services.deployments.begin import Beginning, Order, begin
from shared.services.deployments.installation import Place, shared
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.lock import held, in_progress
from shared.services.deployments.record import listing
from shared.services.deployments.work import Work
from shared.services.installations.claim import claiming
from shared.services.marketplace.listing import listing_of, put
from shared.services.platform import Platform
from shared.services.publishing.plan import Plan
from shared.services.rollouts.begin import beginning_rollout
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Found, Patch, Write

_TRIES = 5
"""Others may write to the process, or to production, at the same moment."""


async def record_without_production(platform: Platform, plan: Plan, rollout_id: str | None) -> None:
    """Publish, and leave production as it is.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): the project changed meanwhile.
    """
    for _ in range(_TRIES):
        process = await _process(platform, plan)
        production = process.value.prod_instance_id
        writes = [
            *_writes(platform, plan, process, production, {}),
            *await _rollout(platform, plan, process.value, rollout_id, production),
        ]
        with suppress(StoreConflict):
            await platform.store.commit(*writes)
            return
        await _require_unchanged(platform, plan)
    raise in_progress("project")


async def record(
    platform: Platform, plan: Plan, instance_id: str, deployment_id: str, rollout_id: str | None = None
) -> tuple[HeldLease, Work]:
    """Publish, and begin production's deployment; return the lease on it and its work.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): the project changed meanwhile, or production is worked on.
    """
    order = _order(plan, instance_id, deployment_id)
    for _ in range(_TRIES):
        process = await _process(platform, plan)
        found = await platform.store.get(refs.instance(instance_id)) if plan.production else None
        beginning = await begin(platform, order, found, plan.project.value)
        writes = [
            *_writes(platform, plan, process, instance_id, held(deployment_id, plan.now)),
            *_sharing(plan, beginning),
            *await _claiming(platform, plan, process.value, instance_id),
            *await _rollout(platform, plan, process.value, rollout_id, instance_id),
        ]
        with suppress(StoreConflict):
            at, *_ = await platform.store.commit(*beginning.writes, *writes)
            return beginning.held(platform, at), beginning.work
        # The installation may have been written to, though not by a deployment, or what others see.
        await _require_unchanged(platform, plan)
    raise in_progress("project")


async def _claiming(platform: Platform, plan: Plan, process: Process, instance_id: str) -> list[Write]:
    listed = process.model_copy(update=_listed(plan, instance_id))
    return await claiming(platform, listed, plan.template.value.process_id, instance_id)


async def _process(platform: Platform, plan: Plan) -> Found[Process]:
    """Return the process as it is now: to whom it is shown may change at any time."""
    found = await platform.store.get(plan.process.ref)
    if found is None:
        raise in_progress("project")
    return found


async def _require_unchanged(platform: Platform, plan: Plan) -> None:
    project = await platform.store.get(plan.project.ref)
    if project is None or project.update_time != plan.project.update_time:
        raise in_progress("project")


async def _rollout(
    platform: Platform, plan: Plan, process: Process, rollout_id: str | None, production: str | None
) -> list[Write]:
    template = plan.template.value
    return await beginning_rollout(
        platform,
        rollout_id,
        template.process_id,
        process,
        plan.asked.template_id,
        template,
        plan.actor,
        production,
    )


def _order(plan: Plan, instance_id: str, deployment_id: str) -> Order:
    process = plan.process.value.model_copy(
        update={"prod_instance_id": instance_id, "auto_toggle_dev_prod": plan.asked.auto_toggle}
    )
    place = Place(
        instance_id, plan.template.value.process_id, plan.asked.project_id, process.owner_id, Environment.PROD
    )
    return Order(
        deployment_id=deployment_id,
        purpose=Purpose.PUBLISH,
        version=plan.version,
        place=place,
        tenant=plan.tenant,
        started_by=plan.actor,
        now=plan.now,
        pauses=process.sibling_to_pause(instance_id),
        changes={**shared(plan.sharing), "visible_to": plan.sharing.audience},
    )


def _writes(
    platform: Platform,
    plan: Plan,
    process: Found[Process],
    production: str | None,
    lock: Mapping[str, object],
) -> list[Write]:
    version = plan.template.value.version
    completed = reached(plan.project.value.status, ProjectStatus.COMPLETED)
    of_project = {"has_published_process": True, "status": completed, **lock}
    published = moved(plan.template.value.status, TemplateStatus.PUBLISHED)
    deprecated = [
        Patch(before.ref, {"status": moved(before.value.status, TemplateStatus.DEPRECATED)})
        for before in (plan.published,)
        if before is not None
    ]
    listed = _listed(plan, production)
    return [
        Patch(plan.template.ref, {"status": published}, plan.template.update_time),
        *deprecated,
        Patch(plan.process.ref, listed, process.update_time),
        put(_shown(plan, process.value.model_copy(update=listed))),
        Patch(plan.project.ref, of_project, plan.project.update_time),
        audited(
            platform,
            plan.key,
            AuditAction.TEMPLATE_PUBLISHED,
            plan.project.value.organization_id,
            plan.asked.template_id,
            version=version,
            project_id=plan.asked.project_id,
            process_instance_id=None if plan.asked.skip_production else production,
            on_behalf_of=plan.actor if plan.actor != plan.key.user_id else None,
        ),
    ]


def _listed(plan: Plan, production: str | None) -> dict[str, object]:
    fields = {
        **listing(plan.version.configuration),
        "published_template_id": plan.asked.template_id,
        "published_version": plan.template.value.version,
        "prod_instance_id": production,
        "auto_toggle_dev_prod": plan.asked.auto_toggle,
    }
    if plan.visibility is not None:
        fields |= {
            "visibility": plan.visibility,
            "visibility_team_ids": list(plan.asked.audience.team_ids),
            "visibility_user_ids": list(plan.asked.audience.user_ids),
        }
    return fields


def _shown(plan: Plan, process: Process) -> Listing:
    """Return what others see of the process from now on."""
    return listing_of(
        process,
        plan.tenant.organization.name,
        plan.template.value,
        plan.version.configuration,
        plan.version.texts.values(),
        plan.now,
        hidden=plan.project.value.archived,
    )


def _sharing(plan: Plan, beginning: Beginning) -> list[Write]:
    """Return what tells the endpoints that run now who may use them from now on."""
    work = beginning.work
    return [
        Patch(refs.endpoint(work.instance_id, row.workflow_id), shared(plan.sharing)) for row in work.live
    ]

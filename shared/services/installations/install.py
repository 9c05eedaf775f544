"""Install a published process: an installation of one's own, in production (platform §12, decision 0017).

The claim, the installation and the beginning of its deployment are one commit; a watchdog task, booked
before, ends the deployment should the worker die.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import Conflict, Forbidden, Internal, InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.deployment import Purpose
from shared.model.instance import Environment, ProcessInstance, SharedWith, Sharing
from shared.model.listing import Listing
from shared.model.project import Process, ProcessType
from shared.services.audit import audited
from shared.services.deployments.begin import Order, Version, begin
from shared.services.deployments.carry import Carried, book_watchdog, carry
from shared.services.deployments.installation import Place, shared
from shared.services.deployments.parameters import settled_parameters
from shared.services.deployments.work import Tenant, load_template, load_tenant
from shared.services.faults import point
from shared.services.installations.claim import claim, claim_ref, claimed
from shared.services.marketplace.audiences import Viewer
from shared.services.marketplace.viewer import viewer_of, visible_listing
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience, sharing_of
from shared.services.publishing.people import require_members
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.store import Create, Patch


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be installed, for whom, and who may use it."""

    process_id: str
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    organization_id: str | None = None
    shared_with: SharedWith | None = None
    shared_with_user_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation that was made, and how far its deployment came."""

    process_instance_id: str
    deployment_instance_id: str
    instance: ProcessInstance
    carried: Carried


@dataclass(frozen=True, slots=True)
class _Plan:
    viewer: Viewer
    listing: Listing
    process: Process
    version: Version
    tenant: Tenant
    sharing: Sharing
    parameters: Mapping[str, object] = field(repr=False)


async def install(platform: Platform, key: ApiKey, request: Request) -> Installed:
    """Make an installation and bring it into n8n; that n8n fails it is an answer.

    Raises:
        NotFound (``PROCESS_NOT_FOUND``): it is not shown to the caller, or does not exist.
        Forbidden: another organization, or no role to install for the whole organization.
        InvalidRequest (``OWN_N8N``): the organization's own n8n would show it another's workflows; or
            parameters or sharing that are not valid.
        Conflict (``ALREADY_INSTALLED``): there is one; ``processInstanceId`` of the details names it.
    """
    plan = await _plan(platform, key, request)
    instance_id, deployment_id = platform.sources.uuid7(), platform.sources.auto_id()
    await book_watchdog(platform, deployment_id, platform.sources.now(), "watchdog")
    point("install.booked")
    beginning = await begin(platform, _order(platform, plan, instance_id, deployment_id), None, None)
    organization_id, user_id = plan.viewer.organization_id, plan.viewer.user_id
    reference = claim_ref(request.process_id, plan.process.process_type, organization_id, user_id)
    entry = audited(
        platform,
        key,
        AuditAction.PROCESS_INSTALLED,
        organization_id,
        instance_id,
        process_id=request.process_id,
        version=plan.listing.version,
    )
    try:
        at, *_ = await platform.store.commit(
            *beginning.writes,
            Create(reference, claim(request.process_id, organization_id, user_id, instance_id)),
            entry,
        )
    except AlreadyExists:
        await _require_unclaimed(platform, plan.viewer, request.process_id, plan.process)
        raise Conflict("The process was installed and uninstalled meanwhile. Install it again.") from None
    point("install.recorded")
    carried = await carry(platform, beginning.work, beginning.held(platform, at))
    await _tell_of_newer(platform, plan, instance_id)
    found = await platform.store.get(refs.instance(instance_id))
    instance = found.value if found else beginning.work.instance
    return Installed(instance_id, deployment_id, instance, carried)


async def _tell_of_newer(platform: Platform, plan: _Plan, instance_id: str) -> None:
    """Tell the installation of a version that was published while it was made: no rollout knew of it."""
    process_id = plan.version.template.process_id
    process, found = await platform.store.fetch(refs.process(process_id), refs.instance(instance_id))
    if process is None or found is None:
        return
    published, version = process.value.published_template_id, process.value.published_version
    late = process.value.rollout_number == found.value.rollout_number
    if late and published not in (None, plan.version.template_id):
        newer = {"available_template_id": published, "available_version": version}
        await platform.store.commit(Patch(found.ref, newer))


async def _plan(platform: Platform, key: ApiKey, request: Request) -> _Plan:
    viewer = await viewer_of(platform, key, request.organization_id)
    listing = await visible_listing(platform, viewer, request.process_id)
    process, template, organization = await platform.store.fetch(
        refs.process(request.process_id),
        refs.template(listing.template_id),
        refs.organization(viewer.organization_id),
    )
    if process is None or template is None or organization is None:
        raise Internal("A listing refers to documents that do not exist.")
    if listing.process_type is ProcessType.ORGANIZATIONAL and not viewer.manages:
        raise Forbidden("Only admins and owners can install a process for the whole organization.")
    foreign = viewer.organization_id != listing.organization_id
    if foreign and organization.value.self_hosted:
        raise InvalidRequest(
            "Your organization runs its workflows on its own n8n, which would show it those of another "
            "organization. A process of another organization is installed on the platform's n8n only.",
            code="OWN_N8N",
        )
    await _require_unclaimed(platform, viewer, request.process_id, process.value)
    configuration, texts = await load_template(platform, template.value)
    return _Plan(
        viewer=viewer,
        listing=listing,
        process=process.value,
        version=Version(listing.template_id, template.value, configuration, texts),
        tenant=await load_tenant(platform, viewer.organization_id, viewer.user_id),
        sharing=await _sharing(platform, viewer, listing.process_type, request),
        parameters=settled_parameters(configuration, {}, request.parameters),
    )


async def _require_unclaimed(platform: Platform, viewer: Viewer, process_id: str, process: Process) -> None:
    own = await claimed(platform, process_id, process, viewer.organization_id, viewer.user_id)
    if own is None:
        return
    whose = "you have" if process.process_type is ProcessType.PERSONAL else "your organization has"
    raise Conflict(
        f"This process is installed already: {whose} process instance {own}. Use it, or uninstall it first.",
        code="ALREADY_INSTALLED",
        details={"processInstanceId": own},
    )


async def _sharing(
    platform: Platform, viewer: Viewer, process_type: ProcessType, request: Request
) -> Sharing:
    asked = Audience(shared_with=request.shared_with, shared_with_user_ids=request.shared_with_user_ids)
    sharing = sharing_of(process_type, viewer.user_id, None, asked)
    named = sharing.shared_with_user_ids
    await require_members(platform, viewer.organization_id, named, "sharedWithUserIds")
    return sharing


def _order(platform: Platform, plan: _Plan, instance_id: str, deployment_id: str) -> Order:
    template = plan.version.template
    place = Place(
        instance_id, template.process_id, template.project_id, plan.viewer.user_id, Environment.PROD
    )
    return Order(
        deployment_id=deployment_id,
        purpose=Purpose.INSTALL,
        version=plan.version,
        place=place,
        tenant=plan.tenant,
        started_by=plan.viewer.user_id,
        now=platform.sources.now(),
        parameters=plan.parameters,
        changes={
            **shared(plan.sharing),
            "visible_to": plan.sharing.audience,
            "rollout_number": plan.process.rollout_number,
        },
    )

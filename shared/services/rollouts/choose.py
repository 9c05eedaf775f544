"""Bring one installation to a version of its user's choice, newer or older (platform §12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.deployment import Purpose
from shared.model.instance import ProcessInstance
from shared.model.project import Process
from shared.model.template import Template, TemplateStatus
from shared.services.access import accessible_instance
from shared.services.audit import audited
from shared.services.deployments.begin import Beginning, Order, begin
from shared.services.deployments.carry import Carried, book_watchdog, carry
from shared.services.deployments.installation import Place
from shared.services.deployments.work import load_tenant
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.rollouts.decide import runs
from shared.services.rollouts.pin import require_installed, write_pin
from shared.services.rollouts.version import require_parameters, version_of
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Found
from shared.versions import Version

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A version for an installation; without one, what is published. ``back`` means an older one, to stay at.

    ``parameters`` go over those the installation has.
    """

    process_instance_id: str
    version: str | None
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    back: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of a choice; ``deployment_instance_id`` is that of what runs when there was nothing to do."""

    version: str
    pinned: bool
    deployment_instance_id: str
    carried: Carried


@dataclass(frozen=True, slots=True)
class _Case:
    found: Found[ProcessInstance]
    process: Process
    template_id: str
    template: Template
    is_own: bool

    @property
    def instance(self) -> ProcessInstance:
        return self.found.value


async def choose(platform: Platform, key: ApiKey, choice: Choice) -> Chosen:
    """Deploy a version to one installation; a failure in n8n is an answer, and what ran still runs.

    Others choose among the versions that were published. The publisher's own two may have any.

    Raises:
        NotFound: ``INSTANCE_NOT_FOUND``, ``VERSION_NOT_FOUND``; Forbidden.
        Conflict: ``DEPLOYMENT_IN_PROGRESS``, ``INSTANCE_ARCHIVED``, ``INSTANCE_UNINSTALLED``,
            ``NOT_PUBLISHED``.
        InvalidRequest: ``NOT_OLDER``, ``MISSING_PARAMETERS``, ``INVALID_PARAMETERS``, parameters that are
            unknown or invalid; nothing was changed.
    """
    for _ in range(_TRIES):
        case = await _case(platform, key, choice)
        pins = choice.back and not case.is_own
        instance = case.instance
        if runs(instance, case.template.version) and not choice.parameters and _is_settled(instance):
            if pins and not instance.pinned:
                await write_pin(platform, key, choice.process_instance_id, instance, pinned=True)
            live = instance.live_deployment_instance_id or ""
            return Chosen(case.template.version, pins or instance.pinned, live, Carried("deployed", []))
        if choice.back:
            _require_older(case)
        try:
            return await _deploy(platform, key, choice, case, pins=pins)
        except StoreConflict:
            continue
    raise Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")


def _is_settled(instance: ProcessInstance) -> bool:
    """Return whether what runs is also what was deployed last."""
    return instance.current_deployment_instance_id == instance.live_deployment_instance_id


async def _case(platform: Platform, key: ApiKey, choice: Choice) -> _Case:
    found = await accessible_instance(platform, key, choice.process_instance_id)
    instance = found.value
    require_installed(instance)
    if instance.archived:
        raise Conflict("This process instance is archived. Unarchive it first.", code="INSTANCE_ARCHIVED")
    process, claim = await platform.store.fetch(
        refs.process(instance.process_id), refs.version_claim(instance.process_id, choice.version or "none")
    )
    unknown = NotFound(f"Version {choice.version} not found.", code="VERSION_NOT_FOUND")
    if process is None or (choice.version is not None and claim is None):
        raise unknown
    template_id = claim.value.template_id if choice.version else process.value.published_template_id
    if template_id is None:
        raise Conflict("No version of this process is published.", code="NOT_PUBLISHED")
    template = await platform.store.get(refs.template(template_id))
    own = (process.value.dev_instance_id, process.value.prod_instance_id)
    is_own = choice.process_instance_id in own
    if template is None or (template.value.status is TemplateStatus.INACTIVE and not is_own):
        raise unknown
    return _Case(found, process.value, template_id, template.value, is_own)


def _require_older(case: _Case) -> None:
    if Version.parse(case.template.version) > Version.parse(case.instance.current_version):
        raise InvalidRequest(
            f"Version {case.template.version} is newer than {case.instance.current_version}, which runs now. "
            "Update to it instead.",
            code="NOT_OLDER",
            field="version",
        )


async def _deploy(platform: Platform, key: ApiKey, choice: Choice, case: _Case, *, pins: bool) -> Chosen:
    version = await version_of(platform, case.template_id)
    parameters = require_parameters(version, case.instance, dict(choice.parameters))
    instance = case.instance
    order = Order(
        deployment_id=platform.sources.auto_id(),
        purpose=Purpose.UPDATE,
        version=version,
        place=Place(
            choice.process_instance_id,
            instance.process_id,
            instance.project_id,
            instance.user_id,
            instance.environment,
        ),
        tenant=await load_tenant(platform, instance.organization_id, instance.user_id),
        started_by=key.user_id,
        now=platform.sources.now(),
        pauses=case.process.sibling_to_pause(choice.process_instance_id),
        changes={**_told(case), **({"pinned": True} if pins else {})},
        parameters=parameters,
    )
    beginning = await begin(platform, order, case.found, None)
    await book_watchdog(platform, order.deployment_id, order.now, "watchdog")
    point("choose.booked")
    entry = audited(
        platform,
        key,
        AuditAction.INSTANCE_UPDATED,
        instance.organization_id,
        choice.process_instance_id,
        version=version.template.version,
        from_version=instance.current_version,
        pinned=pins or None,
        parameters=sorted(parameters) or None,
    )
    at, *_ = await platform.store.commit(*beginning.writes, entry)
    point("choose.recorded")
    return await _carry(platform, beginning, at, order, pinned=pins or instance.pinned)


async def _carry(
    platform: Platform, beginning: Beginning, at: datetime, order: Order, *, pinned: bool
) -> Chosen:
    carried = await carry(platform, beginning.work, beginning.held(platform, at))
    return Chosen(order.version.template.version, pinned, order.deployment_id, carried)


def _told(case: _Case) -> dict[str, object]:
    """Return what an installation knows of the published version, until it runs it."""
    if case.is_own:
        return {}
    return {
        "available_template_id": case.process.published_template_id,
        "available_version": case.process.published_version,
    }

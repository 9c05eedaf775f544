"""Publish a version (api §5.10, platform §12): others see it, and the owner's production runs it.

The publication and the beginning of production's deployment are one commit. From then on the version is
published, whatever becomes of the deployment; a watchdog task, booked before, ends it should the worker die.
"""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.document import Document
from shared.services.deployments.carry import book_watchdog, carry
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.publishing.plan import Plan, Publication, plan_publication
from shared.services.publishing.record import record, record_without_production
from shared.services.rollouts.begin import prepare_rollout


class Published(Document):
    """The answer to a publication. The installation is absent when it was to be left alone.

    The rollout is there when others installed the process.
    """

    process_deployment_id: str
    version: str
    process_instance_id: str | None = None
    rollout_id: str | None = None


async def publish(platform: Platform, key: ApiKey, asked: Publication) -> Published:
    """Publish a version and bring it into the owner's production installation.

    That n8n fails does not undo the publication: the installation says so, and its deployment can be run
    again (decision 0015).

    Raises:
        NotFound: ``PROJECT_NOT_FOUND``, ``TEMPLATE_NOT_FOUND``, ``USER_NOT_FOUND``.
        Forbidden: no access to the project.
        InvalidRequest: ``INVALID_STATUS`` for a version that is not inactive; visibility or sharing that
            contradict themselves; acting for another user without being an administrator.
        Conflict (``DEPLOYMENT_IN_PROGRESS``): a deployment of the project is at work.
    """
    plan = await plan_publication(platform, key, asked)
    process_id = plan.template.value.process_id
    rollout_id = await prepare_rollout(platform, process_id, plan.process.value)
    if asked.skip_production:
        await record_without_production(platform, plan, rollout_id)
        return _answer(plan, None, rollout_id)
    instance_id = plan.process.value.prod_instance_id or platform.sources.uuid7()
    deployment_id = platform.sources.auto_id()
    await book_watchdog(platform, deployment_id, platform.sources.now(), "watchdog")
    point("deploy.booked")
    lease, work = await record(platform, plan, instance_id, deployment_id, rollout_id)
    point("deploy.recorded_pending")
    await carry(platform, work, lease)
    return _answer(plan, instance_id, rollout_id)


def _answer(plan: Plan, process_instance_id: str | None, rollout_id: str | None) -> Published:
    return Published(
        process_deployment_id=plan.asked.template_id,
        version=plan.template.value.version,
        process_instance_id=process_instance_id,
        rollout_id=rollout_id,
    )

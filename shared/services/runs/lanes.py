"""Lanes: the task queues that runs wait in, one per organization (decision 0025).

A lane says how many of an organization's runs are sent at once and how many in a second. What is over that
waits in the lane, so a tenant's backlog delays nobody else, and costs nothing while it waits.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace
from datetime import timedelta

from shared.errors import Internal
from shared.model.organization import Organization
from shared.model.plans import ALLOWANCES, Plan
from shared.services.platform import Platform
from shared.services.runs.queues import DISPATCH
from shared.settings import Settings
from shared.store import refs
from shared.tasks.queue import NoSuchQueue
from shared.tasks.spec import QueueSettings, TaskSpec

log = logging.getLogger(__name__)

OWN_N8N_AT_ONCE = 50
"""Runs sent at once to an n8n that an organization brought: nobody shares it."""

FASTEST = 500.0
"""Dispatches a second that Cloud Tasks allows a queue."""

_SHORTEST_BACKOFF = timedelta(milliseconds=200)
_FITTING = re.compile(r"[A-Za-z0-9-]{1,80}")


def lane_of(organization_id: str, lanes: int = 0) -> str:
    """Return the queue of an organization's runs; ``lanes`` above 0 is how many all organizations share."""
    digest = hashlib.sha256(organization_id.encode()).hexdigest()
    if lanes:
        return f"runs-shared-{int(digest, 16) % lanes}"
    # A name may not be taken for that of a shared one, nor for a digest.
    fits = _FITTING.fullmatch(organization_id) and not organization_id.startswith(("shared-", "x-"))
    return f"runs-{organization_id}" if fits else f"runs-x-{digest}"


def lane_settings(lane: str, settings: Settings, plan: Plan, *, own_n8n: bool) -> QueueSettings:
    """Return how fast a lane goes: the plan's share of what a shared n8n bears."""
    share = ALLOWANCES[plan].n8n_share
    rate, at_once = settings.n8n_runs_per_second * share, round(settings.n8n_runs_at_once * share)
    if own_n8n:
        rate, at_once = FASTEST, OWN_N8N_AT_ONCE
    return _settings(lane, settings, min(FASTEST, rate), max(1, at_once))


def fallback_settings(settings: Settings) -> QueueSettings:
    """Return how fast the queue of organizations without a lane goes: all of them as fast as an n8n bears."""
    rate = min(FASTEST, settings.n8n_runs_per_second)
    return _settings(DISPATCH, settings, rate, settings.n8n_runs_at_once)


def _settings(name: str, settings: Settings, rate: float, at_once: int) -> QueueSettings:
    # Runs wait for n8n as long as it takes; 24 hours later the run itself is failed by its supervisor.
    return QueueSettings(
        name,
        max_dispatches_per_second=rate,
        max_concurrent_dispatches=at_once,
        max_attempts=-1,
        min_backoff=_SHORTEST_BACKOFF,
        max_backoff=settings.dispatch_max_backoff,
        max_doublings=8,
    )


async def ensure_lane(platform: Platform, organization_id: str, organization: Organization) -> None:
    """Create an organization's lane, or bring it to its plan. What fails is made up for by the first run."""
    try:
        await platform.queue.ensure(_lane(platform, organization_id, organization))
    except Internal:
        log.warning("the lane of organization %s was not made", organization_id)


def _lane(platform: Platform, organization_id: str, organization: Organization) -> QueueSettings:
    settings = platform.settings
    lane = lane_of(organization_id, settings.dispatch_lanes)
    if settings.dispatch_lanes:
        return replace(fallback_settings(settings), name=lane)
    return lane_settings(lane, settings, organization.plan, own_n8n=organization.self_hosted)


async def book(platform: Platform, organization_id: str, task: TaskSpec) -> bool:
    """Put a dispatch task into the organization's lane: one call, and no read, when the lane is there.

    A lane that is missing is made, and until the queue service knows it (Cloud Tasks takes up to a minute)
    or when it takes no more queues, the task goes into the queue that such organizations share.

    Raises:
        Internal: the queue fails.
    """
    lane = lane_of(organization_id, platform.settings.dispatch_lanes)
    into_lane = replace(task, queue=lane)
    try:
        return await platform.queue.create(into_lane)
    except NoSuchQueue:
        if platform.noted.is_new(("lane", lane)) and (
            organization := await platform.store.get(refs.organization(organization_id))
        ):
            await ensure_lane(platform, organization_id, organization.value)
    try:
        return await platform.queue.create(into_lane)
    except NoSuchQueue:
        return await platform.queue.create(replace(task, queue=DISPATCH))

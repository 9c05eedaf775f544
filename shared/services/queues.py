"""The platform's task queues and how fast each may go (design §9)."""

from __future__ import annotations

from datetime import timedelta

from shared.model.plans import Plan
from shared.services.control.queues import SETTINGS as CONTROL_SETTINGS
from shared.services.credits.queues import CREDITS
from shared.services.deployments.queues import DEPLOY
from shared.services.events.queues import DELIVERIES, EVENTS
from shared.services.integrations.oauth.queues import REFRESH_QUEUE
from shared.services.rollouts.queues import OWN_N8N, ROLLOUTS, update_settings
from shared.services.runs.lanes import fallback_settings, lane_settings
from shared.services.runs.queues import SUPERVISE
from shared.settings import Settings
from shared.tasks.queue import Queue
from shared.tasks.spec import QueueSettings

QUEUES = (
    QueueSettings(
        SUPERVISE,
        max_dispatches_per_second=50,
        max_concurrent_dispatches=10,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(minutes=1),
        max_doublings=6,
    ),
    # One task for each organization and half second in which it was charged.
    QueueSettings(
        CREDITS,
        max_dispatches_per_second=200,
        max_concurrent_dispatches=20,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(minutes=1),
        max_doublings=6,
    ),
    # The rate limit of this queue is what protects n8n from a publish to many installations.
    QueueSettings(
        DEPLOY,
        max_dispatches_per_second=20,
        max_concurrent_dispatches=4,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(seconds=10),
        max_doublings=4,
    ),
    # Looks and books; every update is a task of its own, in the queue of its n8n.
    QueueSettings(
        ROLLOUTS,
        max_dispatches_per_second=20,
        max_concurrent_dispatches=10,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(seconds=30),
        max_doublings=5,
    ),
    CONTROL_SETTINGS,
    # Those of a shared n8n get theirs when it is registered.
    update_settings(OWN_N8N),
    # A provider that is down is asked again for as long as it takes; the user need not connect anew.
    QueueSettings(
        REFRESH_QUEUE,
        max_dispatches_per_second=20,
        max_concurrent_dispatches=10,
        max_attempts=-1,
        min_backoff=timedelta(seconds=2),
        max_backoff=timedelta(minutes=5),
        max_doublings=8,
    ),
    # A task may come before the event it is about is committed: it looks again soon.
    QueueSettings(
        EVENTS,
        max_dispatches_per_second=200,
        max_concurrent_dispatches=20,
        max_attempts=-1,
        min_backoff=timedelta(milliseconds=200),
        max_backoff=timedelta(seconds=5),
        max_doublings=5,
    ),
    # A try is a task of its own. It is repeated by the queue only when it could not be written down.
    QueueSettings(
        DELIVERIES,
        max_dispatches_per_second=200,
        max_concurrent_dispatches=50,
        max_attempts=-1,
        min_backoff=timedelta(seconds=1),
        max_backoff=timedelta(minutes=5),
        max_doublings=8,
    ),
)


async def ensure_queues(queue: Queue, settings: Settings) -> None:
    """Create or update every queue that is not made with an organization or an n8n; safe to repeat."""
    # Organizations without a lane share a queue like one (decision 0025).
    for wanted in (fallback_settings(settings), *QUEUES):
        await queue.ensure(wanted)


def queue_map(settings: Settings) -> dict[str, object]:
    """Return every queue and its limits: those with a name, and those made with an organization or an n8n.

    Durations are in seconds. What is made later is named by a pattern; lanes go by the plan.
    """
    lanes = {
        f"runs-{{organizationId}} ({plan})": lane_settings("", settings, plan, own_n8n=False) for plan in Plan
    }
    made = {
        **lanes,
        "runs-{organizationId} (own n8n)": lane_settings("", settings, Plan.FREE, own_n8n=True),
        "update-{n8nBackendId}": update_settings(""),
    }
    fixed = {queue.name: queue for queue in (fallback_settings(settings), *QUEUES)}
    return {
        "queues": {name: _limits(queue) for name, queue in fixed.items()},
        "madeWithTheirOwners": {name: _limits(queue) for name, queue in made.items()},
    }


def _limits(queue: QueueSettings) -> dict[str, object]:
    return {
        "maxDispatchesPerSecond": queue.max_dispatches_per_second,
        "maxConcurrentDispatches": queue.max_concurrent_dispatches,
        "maxAttempts": queue.max_attempts,
        "minBackoff": queue.min_backoff.total_seconds(),
        "maxBackoff": queue.max_backoff.total_seconds(),
        "maxDoublings": queue.max_doublings,
    }

"""Decides when attempts start: per queue a rate, a concurrency, and one timer.

Nothing waits in memory. A queue asks the store for exactly as many due tasks as it may start now, claims
them in one durable step, and sleeps until the next token, the next free slot or the next due time.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable

from infra.local.tasks.backoff import RetryPolicy
from infra.local.tasks.bucket import TokenBucket
from infra.local.tasks.delivery import Outcome, Task
from infra.local.tasks.limits import Limits
from infra.local.tasks.queues import QueueConfig
from infra.local.tasks.task_store import StoredTask, TaskStore
from infra.local.tasks.times import MINUTE, SECOND, Clock

log = logging.getLogger(__name__)

Deliver = Callable[[str, StoredTask], Awaitable[Outcome]]

BATCH = 100
# The wall clock may be set while a timer runs, so no sleep is longer than this.
LONGEST_SLEEP = MINUTE


class Dispatcher:
    """Runs one queue; belongs to one event loop."""

    def __init__(
        self,
        queue_id: int,
        config: QueueConfig,
        tasks: TaskStore,
        deliver: Deliver,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.queue_id = queue_id
        self._config = config
        self._tasks = tasks
        self._deliver = deliver
        self._clock = clock
        self._limits = limits
        self._bucket = TokenBucket(config.rate, config.burst, clock())
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = 0
        self._stopped = False
        self._attempts: set[asyncio.Task[None]] = set()
        self._running: Counter[int] = Counter()

    def configure(self, config: QueueConfig) -> None:
        """Work by new settings from now on."""
        self._config = config
        self._bucket.configure(config.rate, config.burst, self._clock())
        self.wake(self._clock())

    def wake(self, at: int) -> None:
        """Look for due tasks at that time (microseconds since 1970), or earlier."""
        if self._stopped:
            return
        if self._timer is not None:
            if self._wakes_at <= at:
                return
            self._timer.cancel()
        self._wakes_at = at
        delay = min(max(0, at - self._clock()), LONGEST_SLEEP) / SECOND
        self._timer = self._loop.call_later(delay, self._look)

    def run(self, task: StoredTask) -> None:
        """Start an attempt of a task that is already claimed, whatever rate and concurrency say.

        After :meth:`stop` nothing starts: the claim is given back at the next start of the server.
        """
        if self._stopped:
            return
        self._running[task.id] += 1
        attempt = self._loop.create_task(self._attempt(task))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    def stop(self) -> None:
        """Start nothing any more; attempts in flight go on."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def drain(self, grace: float) -> None:
        """Wait up to ``grace`` seconds for the attempts in flight, then cut them off; they stay claimed."""
        if self._attempts:
            _, late = await asyncio.wait(self._attempts, timeout=grace)
            for attempt in late:
                attempt.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _look(self) -> None:
        self._timer = None
        if self._stopped or not self._config.running:
            return
        try:
            self._start_due(self._clock())
        except sqlite3.Error:
            # A full disk, say: the queue must not stand still when there is room again.
            log.exception("queue %s could not look for tasks", self._config.name)
            self.wake(self._clock() + SECOND)

    def _start_due(self, now: int) -> None:
        free = self._config.concurrent - self._running.total()
        if free <= 0:
            return
        tokens = self._bucket.available(now)
        if tokens <= 0:
            self.wake(now + self._bucket.wait())
            return
        allowed = min(free, tokens, BATCH)
        claimed = self._tasks.claim_due(self.queue_id, now, allowed)
        self._bucket.take(len(claimed))
        for task in claimed:
            self.run(task)
        due = now if len(claimed) == allowed else self._tasks.next_due(self.queue_id)
        if due is not None:
            self.wake(due)

    async def _attempt(self, task: StoredTask) -> None:
        settled = False
        try:
            outcome = await self._deliver(self._config.name.rpartition("/")[2], task)
            settled = True
        finally:
            self._running[task.id] -= 1
            if not self._running[task.id]:
                del self._running[task.id]
            if settled:
                self._settle(task, outcome)

    def _settle(self, task: StoredTask, outcome: Outcome) -> None:
        now = self._clock()
        policy = self._policy(task)
        given_up = policy.exhausted(task.dispatches, now - task.first_dispatch, now - task.created)
        if outcome.succeeded or given_up:
            self._tasks.remove(task, now + self._limits.tombstone)
            if not outcome.succeeded:
                log.warning("task %s given up: %s", task.name, outcome.answer.message)
        else:
            delay = max(policy.delay(task.dispatches), outcome.retry_after)
            release = not self._running[task.id]
            self._tasks.reschedule(task.id, now + delay, outcome.answer, release=release)
            self.wake(now + delay)
        self.wake(now)

    def _policy(self, task: StoredTask) -> RetryPolicy:
        content = Task.FromString(task.content)
        if content.HasField("retry_config"):
            return self._config.retry.overridden(content.retry_config)
        return self._config.retry

"""Whether an endpoint has room for one more run: how many go on, and how many began within a minute.

Only endpoints that state a limit are counted; a plain run costs nothing here (decision 0025). What finds no
room waits: a task of its own brings it back, and a run that ends brings back the one that waits longest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from shared.model.endpoint import Endpoint
from shared.model.execution import Execution
from shared.store.executions import Executions
from shared.store.store import Store

MINUTE = timedelta(minutes=1)

_PAUSE = timedelta(seconds=5)
"""Between two looks of the run that waits first; those behind it look the more seldom the more there are."""

_LONGEST_PAUSE = timedelta(minutes=5)


class Doors:
    """One lock per endpoint, so that runs of one process do not pass the same count at once."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, endpoint: Endpoint) -> asyncio.Lock:
        """Return the lock; it is forgotten when nobody holds or awaits it."""
        name = f"{endpoint.process_instance_id}/{endpoint.workflow_id}"
        return self._locks.setdefault(name, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class Room:
    """What is counted of an endpoint that states a limit."""

    endpoint: Endpoint
    running: int
    begun: int
    """Runs that began within the last minute."""

    @property
    def over(self) -> bool:
        """Whether more go on, or began, than the endpoint allows."""
        return self._beyond(0)

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        return self._beyond(1)

    def _beyond(self, more: int) -> bool:
        most_running, most_begun = self.endpoint.max_running, self.endpoint.max_runs_per_minute
        too_many = most_running is not None and self.running + more > most_running
        return too_many or (most_begun is not None and self.begun + more > most_begun)


async def room(store: Store, endpoint: Endpoint, now: datetime) -> Room:
    """Return what is counted: one aggregate query for each limit the endpoint states."""
    runs = Executions(store, endpoint.process_instance_id)
    running = begun = 0
    if endpoint.max_running is not None:
        running = await runs.count_running(endpoint.workflow_id)
    if endpoint.max_runs_per_minute is not None:
        begun = await runs.count_begun(endpoint.workflow_id, now - MINUTE)
    return Room(endpoint, running, begun)


async def pause_of(store: Store, run: Execution, found: Room) -> timedelta:
    """Return after what time a run that found no room looks again, by how many wait before it."""
    runs = Executions(store, run.process_instance_id)
    pending = await runs.count_pending_before(run.workflow_id, run.created_at)
    return pause(found, max(0, pending - found.running))


def pause(found: Room, ahead: int) -> timedelta:
    """Return a pause that keeps a long backlog from looking all the time."""
    per_minute = found.endpoint.max_runs_per_minute
    if per_minute is not None and found.begun >= per_minute:
        return max(timedelta(seconds=1), (ahead + 1) * MINUTE / per_minute)
    return min(_LONGEST_PAUSE, _PAUSE * (ahead + 1))

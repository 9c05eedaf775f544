"""Whoever ends a run does what follows from it, even when the answer to the commit is lost."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.execution import ExecutionStatus
from shared.services.platform import Platform
from shared.services.runs.finish import Contended, finish
from shared.store.errors import Changed
from shared.tasks.spec import TaskSpec
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

OUTCOME = {"status": ExecutionStatus.SUCCESS, "result_data": "{}", "duration": 1}


class LosingStore:
    """A store whose commits of outcomes are done, or not, and said to be lost against another writer."""

    def __init__(self, store: Any, times: int, *, done: bool) -> None:
        self._store, self._times, self._done = store, times, done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *writes: Any) -> Any:
        if not self._times or not any("outcome_digest" in getattr(write, "fields", {}) for write in writes):
            return await self._store.commit(*writes)
        self._times -= 1
        if self._done:
            await self._store.commit(*writes)
        raise Changed("executions/x")


class CountingQueue:
    """A queue that is told of tasks and keeps them."""

    def __init__(self) -> None:
        self.tasks: list[TaskSpec] = []

    async def create(self, task: TaskSpec) -> bool:
        self.tasks.append(task)
        return True


def platform_with(world: World, times: int, *, done: bool) -> tuple[Platform, CountingQueue]:
    platform = Platform(world.platform.settings, world.platform.sources)
    queue = CountingQueue()
    vars(platform).update(store=LosingStore(world.platform.store, times, done=done), queue=queue)
    return platform, queue


async def end(platform: Platform, installed: Installation, execution_id: str) -> bool:
    run = await installed.run(execution_id)
    return await finish(platform, installed.id, execution_id, run.organization_id, OUTCOME)


async def test_a_commit_whose_answer_is_lost_is_ones_own_and_what_follows_is_done(
    world: World, installed: Installation
) -> None:
    execution_id = await installed.record_run(cost=2)
    platform, queue = platform_with(world, 1, done=True)

    assert await end(platform, installed, execution_id) is True

    settling = [task for task in queue.tasks if "settle" in task.path]
    assert len(settling) == 1
    assert await end(platform, installed, execution_id) is False
    assert [task for task in queue.tasks if "settle" in task.path] == settling


async def test_a_commit_that_is_lost_to_others_is_tried_again(world: World, installed: Installation) -> None:
    execution_id = await installed.record_run()
    platform, _ = platform_with(world, 5, done=False)

    assert await end(platform, installed, execution_id) is True

    assert (await installed.run(execution_id)).status is ExecutionStatus.SUCCESS


async def test_a_run_that_is_always_written_to_is_to_be_reported_again(
    world: World, installed: Installation
) -> None:
    execution_id = await installed.record_run()
    platform, _ = platform_with(world, 100, done=False)

    with pytest.raises(Contended) as raised:
        await end(platform, installed, execution_id)

    assert (raised.value.status, raised.value.code) == (503, "TRY_LATER")
    assert (await installed.run(execution_id)).status is ExecutionStatus.PENDING

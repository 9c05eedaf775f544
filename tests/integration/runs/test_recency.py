"""When an installation last ended a run, as its document says."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from shared.services.runs.recency import note_run
from shared.store import refs
from shared.store.store import Delete, Patch
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World


async def last_executed(installed: Installation) -> datetime | None:
    found = await installed.platform.store.get(refs.instance(installed.id))
    assert found is not None
    return found.value.last_executed_at


async def ended(gateway: Gateway, installed: Installation) -> str:
    """Run once, to the end."""
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowResult"))
    return execution_id


async def test_an_installation_tells_when_it_last_ended_a_run(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    assert await last_executed(installed) is None
    before = world.platform.sources.now()
    installed.behave(reporting(resultData={"done": True}))

    await ended(gateway, installed)

    at = await last_executed(installed)
    assert at is not None
    assert before <= at <= world.platform.sources.now()


async def test_within_a_minute_it_is_written_down_once(gateway: Gateway, installed: Installation) -> None:
    installed.behave(reporting(resultData={"done": True}))

    execution_ids = [await ended(gateway, installed) for _ in range(3)]

    lines = [gateway.lines_about(one, "submitWorkflowResult")[0] for one in execution_ids]
    assert [line["firestore"]["writes"] for line in lines] == [2, 1, 1]


async def test_a_run_that_failed_counts_too(world: World, gateway: Gateway, installed: Installation) -> None:
    installed.behave(reporting("submitWorkflowError", errorType="node_failure", errorMessage="no"))
    execution_id = await gateway.trigger(installed.path, installed.key)
    await eventually(lambda: gateway.lines_about(execution_id, "submitWorkflowError"))

    assert await last_executed(installed) is not None


async def test_an_installation_that_vanished_fails_no_callback(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData={"done": True}))
    await world.platform.store.commit(Delete(refs.instance(installed.id)))

    execution_id = await ended(gateway, installed)

    assert (await installed.run(execution_id)).status == "success"
    assert await world.platform.store.get(refs.instance(installed.id)) is None


async def test_others_who_write_at_the_same_time_neither_lose_nor_prevent_anything(
    world: World, installed: Installation
) -> None:
    reference = refs.instance(installed.id)
    writes = (world.platform.store.commit(Patch(reference, {"title": f"T{i}"})) for i in range(20))

    await asyncio.gather(note_run(world.platform, installed.id), *writes)

    found = await world.platform.store.get(reference)
    assert found is not None
    assert found.value.title.startswith("T")
    assert found.value.last_executed_at is not None


async def test_an_installation_that_cannot_be_written_to_holds_a_run_up_for_a_second_at_most(
    world: World, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def contended(*_: object) -> list[datetime]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(world.platform.store, "commit", contended)

    async with asyncio.timeout(5):
        await note_run(world.platform, installed.id)

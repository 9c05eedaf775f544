"""What a rollout does with an installation, in every standing of both (decision 0018)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import uuid_utils

from shared.model.instance import Environment, ProcessInstance
from shared.model.rollout import Rollout, RolloutStatus
from shared.services.lasting import Lasting
from shared.services.rollouts.close import pause_before
from shared.services.rollouts.decide import Step, deployment_id_of, step_of
from shared.services.rollouts.followers import first_id_at
from shared.services.rollouts.queues import OWN_N8N, update_queue, update_settings

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def rollout(status: RolloutStatus = RolloutStatus.RUNNING) -> Rollout:
    return Rollout(
        organization_id="o",
        process_id="p",
        project_id="j",
        template_id="t2",
        version="1.1",
        number=5,
        status=status,
        started_by="u",
        created_at=NOW,
    )


def instance(**fields: Any) -> ProcessInstance:
    stored = {"current_version": "1.0", "live_deployment_instance_id": "d1", "rollout_number": 4, **fields}
    return ProcessInstance(
        user_id="u",
        organization_id="other",
        process_id="p",
        project_id="j",
        environment=Environment.PROD,
        title="T",
        current_deployment_instance_id="d1",
        instance_key="sealed",
        installed_at=NOW,
        **stored,
    )


@pytest.mark.parametrize("status", [s for s in RolloutStatus if s.is_terminal])
@pytest.mark.parametrize("fields", [{}, {"pinned": True}, {"archived": True}, {"current_version": "1.1"}])
def test_a_rollout_that_ended_begins_nothing(status: RolloutStatus, fields: dict[str, Any]) -> None:
    assert step_of(rollout(status), instance(**fields)) is Step.CANCEL


STANDINGS = list(product((False, True), repeat=5))


@pytest.mark.parametrize(("gone", "late", "there", "archived", "pinned"), STANDINGS)
@pytest.mark.parametrize("status", [RolloutStatus.PLANNING, RolloutStatus.RUNNING])
def test_what_weighs_more_decides(
    status: RolloutStatus, gone: bool, late: bool, there: bool, archived: bool, pinned: bool
) -> None:
    found = instance(
        uninstalled_at=NOW if gone else None,
        rollout_number=6 if late else 5,
        current_version="1.1" if there else "1.0",
        archived=archived,
        pinned=pinned,
    )
    wanted = (
        (gone, Step.SKIP),
        (late, Step.CANCEL),
        (there, Step.SKIP),
        (archived, Step.SKIP_TELLING),
        (pinned, Step.TELL),
        (True, Step.UPDATE),
    )

    assert step_of(rollout(status), found) is next(step for applies, step in wanted if applies)


def test_an_installation_that_does_not_exist_is_skipped() -> None:
    assert step_of(rollout(), None) is Step.SKIP


def test_a_version_that_never_ran_is_not_taken_for_the_one_that_runs() -> None:
    never = instance(current_version="1.1", live_deployment_instance_id=None)

    assert step_of(rollout(), never) is Step.UPDATE


def test_every_attempt_at_every_installation_has_a_deployment_of_its_own() -> None:
    ids = {deployment_id_of(*named) for named in product(("r1", "r2"), ("i1", "i2"), (1, 2))}

    assert len(ids) == 8
    assert {len(one) for one in ids} == {20}
    assert deployment_id_of("r1", "i1", 1) in ids


def test_ids_made_since_a_moment_come_after_what_stands_for_it() -> None:
    now = datetime.now(UTC)

    assert (
        first_id_at(now - timedelta(seconds=1))
        < str(uuid_utils.uuid7())
        < first_id_at(now + timedelta(seconds=60))
    )
    assert len(first_id_at(now)) == 36


def test_a_rollout_is_looked_at_soon_at_first_and_rarely_when_nothing_moves() -> None:
    assert [pause_before(turn, 0).total_seconds() for turn in range(7)] == [2, 4, 8, 16, 30, 30, 30]
    assert [pause_before(9, stalls).total_seconds() for stalls in (1, 2, 8, 500)] == [30, 60, 240, 600]


@pytest.mark.parametrize("backend", ["local", "n8n-7", "with_underscores", "Ä", "x" * 200, "own", ""])
def test_every_shared_n8n_has_a_queue_with_a_name_of_its_own(backend: str) -> None:
    queue = update_queue(backend, self_hosted=False)

    assert update_settings(queue).max_concurrent_dispatches == 10
    assert queue != OWN_N8N == update_queue(backend, self_hosted=True)
    assert len(queue) <= 100


async def test_what_never_changes_is_loaded_once_however_many_ask() -> None:
    loads: list[str] = []
    kept: Lasting[str] = Lasting(2)

    async def load() -> str:
        loads.append("load")
        await asyncio.sleep(0)
        return "content"

    answers = await asyncio.gather(*(kept.get("a", load) for _ in range(50)))

    assert (set(answers), loads) == ({"content"}, ["load"])
    await kept.get("b", load)
    await kept.get("a", load)
    await kept.get("c", load)
    await kept.get("a", load)
    assert len(loads) == 3
    await kept.get("b", load)
    assert len(loads) == 4


async def test_a_failure_to_load_is_not_kept() -> None:
    kept: Lasting[str] = Lasting(2)

    async def fail() -> str:
        raise KeyError("gone")

    async def load() -> str:
        return "content"

    with pytest.raises(KeyError):
        await kept.get("a", fail)
    assert await kept.get("a", load) == "content"

"""How lanes are named and how fast they go; when a run without room looks again (decision 0025)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.endpoint import Endpoint
from shared.model.instance import Environment
from shared.model.plans import Plan
from shared.services.queues import queue_map
from shared.services.runs.lanes import fallback_settings, lane_of, lane_settings
from shared.services.runs.room import Room, pause
from shared.settings import Settings, read_settings
from shared.tasks.spec import TaskSpec


def settings(**environ: str) -> Settings:
    required = {"GOOGLE_CLOUD_PROJECT": "podium", "PUBLIC_BASE_URL": "https://podium.example"}
    return read_settings({**required, **environ})


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_organization_has_a_lane_of_its_own_with_a_name_that_cloud_tasks_takes(
    one: str, other: str
) -> None:
    TaskSpec(lane_of(one), "/", b"{}")
    assert (lane_of(one) == lane_of(other)) is (one == other)


def test_organizations_spread_over_so_many_lanes_as_are_asked_for() -> None:
    assert len({lane_of(f"organization{number}", lanes=10) for number in range(500)}) == 10


@pytest.mark.parametrize(
    ("plan", "limits"), [(Plan.FREE, (5, 1)), (Plan.PRO, (10, 1)), (Plan.BUSINESS, (20, 1))]
)
def test_a_lane_goes_as_fast_as_its_plan_allows(plan: Plan, limits: tuple[float, int]) -> None:
    lane = lane_settings("lane", settings(), plan, own_n8n=False)
    assert (lane.max_dispatches_per_second, lane.max_concurrent_dispatches) == limits
    assert lane.max_attempts == -1


def test_a_larger_n8n_is_used_by_telling_what_it_bears() -> None:
    larger = settings(N8N_RUNS_PER_SECOND="400", N8N_RUNS_AT_ONCE="32", DISPATCH_MAX_BACKOFF_SECONDS="7")
    lane = lane_settings("lane", larger, Plan.BUSINESS, own_n8n=False)
    assert (lane.max_dispatches_per_second, lane.max_concurrent_dispatches) == (200, 16)
    assert lane.max_backoff == timedelta(seconds=7)


def test_no_plan_lets_one_organization_take_all_of_a_shared_n8n() -> None:
    whole = fallback_settings(settings())
    for plan in Plan:
        lane = lane_settings("lane", settings(), plan, own_n8n=False)
        assert lane.max_dispatches_per_second <= whole.max_dispatches_per_second / 2
        assert lane.max_concurrent_dispatches <= whole.max_concurrent_dispatches / 2


def test_an_n8n_of_ones_own_is_slowed_down_by_no_plan() -> None:
    own = lane_settings("lane", settings(), Plan.FREE, own_n8n=True)
    assert (own.max_dispatches_per_second, own.max_concurrent_dispatches) == (500, 50)


def test_the_queue_of_before_is_still_there() -> None:
    queues = queue_map(settings())["queues"]
    assert isinstance(queues, dict)
    assert {"dispatch", "supervise", "deploy"} <= queues.keys()


def test_a_run_waits_for_the_moment_its_minute_has_room() -> None:
    found = room(max_runs_per_minute=30, begun=30)
    assert pause(found, ahead=0) == timedelta(seconds=2)
    assert pause(found, ahead=9) == timedelta(seconds=20)


def test_runs_far_behind_look_the_more_seldom() -> None:
    found = room(max_running=1, running=1)
    looks_per_second = sum(1 / pause(found, ahead).total_seconds() for ahead in range(200))
    assert pause(found, ahead=0) == timedelta(seconds=5)
    assert looks_per_second < 1.5


def test_there_is_room_for_as_many_as_allowed_and_no_more() -> None:
    assert not room(max_running=2, running=1).full
    assert room(max_running=2, running=2).full
    assert not room(max_running=2, running=2).over
    assert room(max_running=2, running=3).over
    assert room(max_running=5, running=0, max_runs_per_minute=3, begun=3).full


def room(*, running: int = 0, begun: int = 0, **limits: int) -> Room:
    return Room(_endpoint().model_copy(update=limits), running, begun)


def _endpoint() -> Endpoint:
    return Endpoint(
        user_id="u",
        organization_id="o",
        process_id="p",
        process_instance_id="i",
        deployment_instance_id="d",
        version="1.0",
        environment=Environment.PROD,
        workflow_id="main",
        n8n_workflow_id="n",
        backend_id="b",
        is_active=True,
        trigger_types=["http"],
        webhook_secret="sealed",
    )

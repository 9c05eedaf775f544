"""Every way a failure may belong to a run, by the state of the run and what n8n's error trigger gives."""

from __future__ import annotations

import itertools
from enum import StrEnum
from typing import Any

import pytest

from shared.model.execution import Correlation, DispatchState, ExecutionStatus
from tests.integration.runs.test_capturing import ERROR, capture, failed_run
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation

Json = dict[str, Any]


class Link(StrEnum):
    """What leads from the failure to the run."""

    LINKED = "the run knows n8n's id"
    CUSTOM_DATA = "n8n knows the run's id"
    UNKNOWN = "n8n has no record"
    OTHER = "n8n's record is of another run"


class State(StrEnum):
    """How far the run is."""

    SENDING = "sending"
    QUEUED = "queued"
    SUCCESS = "success"
    FAILED = "failed"


class Shape(StrEnum):
    """What the error trigger gives."""

    RUN = "a run with n8n's id"
    UNSAVED = "a run that n8n did not save"
    TRIGGER = "a trigger"


PENDING = (State.SENDING, State.QUEUED)
LEADS = {Link.LINKED: Correlation.EXECUTION_ID, Link.CUSTOM_DATA: Correlation.CUSTOM_DATA}


def expected(link: Link, state: State, shape: Shape) -> Correlation:
    """How the run is found; ``none``: it is not, and the failure becomes a run of its own (nodes §8)."""
    if shape is Shape.TRIGGER:
        return Correlation.NONE
    if shape is Shape.RUN and link is not Link.UNKNOWN:
        return LEADS.get(link, Correlation.NONE)
    return Correlation.GUESS if state is State.SENDING else Correlation.NONE


async def recorded(installed: Installation, link: Link, state: State, n8n_id: str) -> str:
    fields: Json = {"dispatch": DispatchState.QUEUED if state is State.QUEUED else DispatchState.SENDING}
    if state is State.SUCCESS:
        fields |= {"status": ExecutionStatus.SUCCESS, "result_data": '{"a":1}'}
    if state is State.FAILED:
        fields |= {"status": ExecutionStatus.FAILED, "error_details": {"type": "unknown", "message": "Said"}}
    if link is Link.LINKED:
        fields["n8n_execution_id"] = n8n_id
    execution_id = await installed.record_run(**fields)
    if link in (Link.CUSTOM_DATA, Link.OTHER):
        of = execution_id if link is Link.CUSTOM_DATA else None
        workflow = installed.n8n_workflow_id
        installed.n8n.record(of, "error", workflow_id=workflow, n8n_id=n8n_id, error=ERROR)
    return execution_id


def report_of(installed: Installation, shape: Shape, n8n_id: str) -> Json:
    if shape is Shape.TRIGGER:
        error = {"message": "Boom", "name": "Error", "cause": {"message": "x"}, "context": {}}
        trigger = {"mode": "trigger", "error": error}
        return {"trigger": trigger, "workflow": {"id": installed.n8n_workflow_id, "name": "Main"}}
    return failed_run(installed, n8n_id if shape is Shape.RUN else None)


@pytest.mark.parametrize(("link", "state", "shape"), list(itertools.product(Link, State, Shape)))
async def test_a_failure_is_written_to_the_run_it_belongs_to(
    gateway: Gateway, installed: Installation, link: Link, state: State, shape: Shape
) -> None:
    n8n_id = f"case-{installed.process_id}"
    execution_id = await recorded(installed, link, state, n8n_id)
    before = await installed.run(execution_id)
    report = report_of(installed, shape, n8n_id)
    how = expected(link, state, shape)

    answer = (await capture(gateway, installed, report)).json()

    assert answer["success"] is True
    assert answer["matched"] is (how is not Correlation.NONE)
    run = await installed.run(execution_id)
    if how is Correlation.NONE:
        assert answer["executionId"] != execution_id
        assert run == before
        own = await installed.run(answer["executionId"])
        assert (own.status, own.correlation) == (ExecutionStatus.FAILED, Correlation.NONE)
    elif state in PENDING:
        assert answer["executionId"] == execution_id
        assert (run.status, run.correlation, run.notes) == (ExecutionStatus.FAILED, how, [])
        assert run.error_details is not None
        assert run.error_details["message"] == "Boom"
    else:
        assert answer["executionId"] == execution_id
        assert (run.status, run.error_details) == (before.status, before.error_details)
        assert run.notes == ["Boom"]
    after = await installed.run(answer["executionId"])
    again = (await capture(gateway, installed, report)).json()
    assert again["executionId"] == answer["executionId"]
    assert await installed.run(answer["executionId"]) == after


async def test_a_report_without_an_execution_that_comes_twice_fails_one_run_and_not_the_next(
    gateway: Gateway, installed: Installation
) -> None:
    first, second = [await installed.record_run(dispatch=DispatchState.SENDING) for _ in range(2)]
    report = report_of(installed, Shape.UNSAVED, "")

    answers = [(await capture(gateway, installed, report)).json() for _ in range(3)]

    assert [answer["executionId"] for answer in answers] == [first] * 3
    assert all(answer["matched"] for answer in answers)
    assert (await installed.run(second)).status is ExecutionStatus.PENDING


async def test_another_failure_without_an_execution_belongs_to_the_next_run(
    gateway: Gateway, installed: Installation
) -> None:
    first, second = [await installed.record_run(dispatch=DispatchState.SENDING) for _ in range(2)]
    report = report_of(installed, Shape.UNSAVED, "")
    other = {**report, "execution": {**report["execution"], "error": {"message": "Another"}}}

    answers = [(await capture(gateway, installed, said)).json() for said in (report, other)]

    assert [answer["executionId"] for answer in answers] == [first, second]

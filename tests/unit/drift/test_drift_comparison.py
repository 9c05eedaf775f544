"""A workflow as recorded has no findings; every way of being otherwise has its own (decision 0020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.deployment import N8nWorkflowOwner, WorkflowRow
from shared.model.endpoint import Endpoint
from shared.model.instance import Environment
from shared.n8n.workflows import JsonObject, WorkflowState, WorkflowVersion
from shared.services.drift.comparison import Actual, Drift, Finding, findings

_SECRET = "never-to-be-shown"
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

Change = Callable[[Actual], Actual]


def _node(name: str, value: str = _SECRET) -> JsonObject:
    return {"id": f"id-{name}", "name": name, "type": "n8n-nodes-base.set", "parameters": {"value": value}}


@st.composite
def _names(draw: st.DrawFn) -> list[str]:
    names = st.text("abcdefgh", min_size=1, max_size=6)
    return draw(st.lists(names, min_size=1, max_size=5, unique=True))


def _recorded(names: list[str], *, running: bool) -> tuple[WorkflowRow, Actual]:
    """Return a row, and what there is when everything is as it says."""
    version = WorkflowVersion(version_id="deployed", nodes=[_node(name) for name in names], connections={})
    row = WorkflowRow(
        workflow_id="main",
        workflow_name="Main",
        n8n_workflow_id="n8n-main",
        n8n_version_id="deployed",
        n8n_name="Main [i]",
        n8n_settings={"timezone": "Europe/Zurich"},
    )
    state = WorkflowState(
        id="n8n-main",
        name="Main [i]",
        version_id="deployed",
        active_version_id="deployed" if running else None,
        created_at=_MOMENT,
        updated_at=_MOMENT,
        nodes=version.nodes,
        settings={"timezone": "Europe/Zurich", "callerPolicy": "any"},
    )
    endpoint = Endpoint(
        organization_id="o",
        user_id="u",
        process_id="p",
        process_instance_id="i",
        deployment_instance_id="d",
        version="1.0",
        environment=Environment.DEV,
        workflow_id="main",
        n8n_workflow_id="n8n-main",
        backend_id="b",
        is_active=running,
        trigger_types=["http"],
        webhook_secret="sealed",
    )
    owner = N8nWorkflowOwner(
        organization_id="o",
        process_instance_id="i",
        process_id="p",
        deployment_instance_id="d",
        workflow_id="main",
        trigger_type="http",
    )
    return row, Actual(state, version, version if running else None, True, endpoint, owner)


def _with_state(**changes: object) -> Change:
    def change(actual: Actual) -> Actual:
        assert actual.state is not None
        return replace(actual, state=actual.state.model_copy(update=changes))

    return change


def _edited(actual: Actual, *, published: bool) -> Actual:
    """Return what there is after somebody saved a node with another value, one more and one fewer."""
    assert actual.deployed is not None
    first, *rest = actual.deployed.nodes
    nodes = [{**first, "parameters": {"value": f"{_SECRET}-too"}}, *rest[1:], _node("Sneaked In")]
    state = {"version_id": "edited", "nodes": nodes}
    if not published:
        return _with_state(**state)(actual)
    live = WorkflowVersion(version_id="edited", nodes=nodes, connections={})
    return replace(_with_state(**state, active_version_id="edited")(actual), live=live)


def _published_edit(actual: Actual) -> Actual:
    return _edited(actual, published=True)


def _draft_edit(actual: Actual) -> Actual:
    return _edited(actual, published=False)


def _unanswered(actual: Actual) -> Actual:
    return replace(actual, answers=False)


def _led_elsewhere(actual: Actual) -> Actual:
    assert actual.endpoint is not None
    return replace(actual, endpoint=actual.endpoint.model_copy(update={"n8n_workflow_id": "other"}))


ALWAYS: dict[Drift, Change] = {
    Drift.MISSING: lambda actual: replace(actual, state=None),
    Drift.ARCHIVED: _with_state(is_archived=True),
    Drift.DRAFT_EDITED: _draft_edit,
    Drift.RENAMED: _with_state(name="Mine"),
    Drift.SETTINGS_CHANGED: _with_state(settings={"timezone": "Asia/Tokyo"}),
    Drift.ENDPOINT: _led_elsewhere,
    Drift.OWNER: lambda actual: replace(actual, owner=None),
}
RUNNING: dict[Drift, Change] = {
    Drift.NOT_PUBLISHED: _with_state(active_version_id=None),
    Drift.OTHER_VERSION: _published_edit,
    Drift.NOT_ANSWERING: _unanswered,
}
PAUSED: dict[Drift, Change] = {Drift.PUBLISHED: _with_state(active_version_id="deployed")}

CASES = [
    *((code, change, running) for code, change in ALWAYS.items() for running in (True, False)),
    *((code, change, True) for code, change in RUNNING.items()),
    *((code, change, False) for code, change in PAUSED.items()),
]


def _found(row: WorkflowRow, actual: Actual, *, running: bool, shows_nodes: bool = True) -> list[Finding]:
    return findings(row, actual, "d", running=running, shows_nodes=shows_nodes)


def test_there_is_a_case_for_every_way_of_being_otherwise() -> None:
    assert {code for code, _, _ in CASES} == set(Drift)


@given(_names(), st.booleans())
def test_what_is_as_recorded_has_no_findings(names: list[str], running: bool) -> None:
    row, actual = _recorded(names, running=running)
    assert _found(row, actual, running=running) == []


@pytest.mark.parametrize(("code", "change", "running"), CASES)
@given(names=_names())
def test_one_difference_is_found_alone_under_its_own_code(
    code: Drift, change: Change, running: bool, names: list[str]
) -> None:
    row, actual = _recorded(names, running=running)
    assert [one.code for one in _found(row, change(actual), running=running)] == [code]


@given(_names(), st.sampled_from([_published_edit, _draft_edit]))
def test_an_edit_is_named_by_its_nodes_and_never_by_their_values(names: list[str], edit: Change) -> None:
    row, actual = _recorded(names, running=True)
    (finding,) = _found(row, edit(actual), running=True)
    expected = {f"node '{names[0]}' changed", "node 'Sneaked In' added"}
    expected |= {f"node '{name}' removed" for name in names[1:2]}
    assert set(finding.details) == expected
    assert _SECRET not in finding.model_dump_json()


@given(_names(), st.sampled_from(CASES))
def test_no_node_is_named_to_an_installer(names: list[str], case: tuple[Drift, Change, bool]) -> None:
    code, change, running = case
    shown = [f"Node {name}" for name in names]
    row, actual = _recorded(shown, running=running)
    found = _found(row, change(actual), running=running, shows_nodes=False)
    told = "".join(one.model_dump_json() for one in found)
    assert [one.code for one in found] == [code]
    assert not [name for name in (*shown, "Sneaked In", _SECRET) if name in told]

"""The arithmetic and the tables of the benchmarks; what they measure is not tested."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import report
from bench.example import with_one_change
from bench.figures import Section, Target, quantile
from bench.load import each

VALUES = st.lists(st.floats(0, 1e6), min_size=1)


@given(VALUES, st.floats(0, 1))
def test_a_quantile_lies_between_the_smallest_and_the_largest_value(values: list[float], q: float) -> None:
    assert min(values) <= quantile(values, q) <= max(values)


@given(VALUES)
def test_the_outer_quantiles_are_the_extremes(values: list[float]) -> None:
    assert (quantile(values, 0), quantile(values, 1)) == (min(values), max(values))


def test_a_quantile_between_two_values_is_interpolated() -> None:
    assert quantile([40, 10, 20, 30], 0.5) == 25


def test_nothing_measured_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("reached", "at_least", "met"),
    [(3, False, True), (3.1, False, False), (3, True, True), (2.9, True, False)],
)
def test_a_bound_itself_still_meets_the_target(reached: float, at_least: bool, met: bool) -> None:
    assert Target("x", reached, 3, at_least).met is met


async def test_load_keeps_order_and_never_exceeds_its_connections() -> None:
    under_way, most = 0, 0

    async def double(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * (number % 3))
        under_way -= 1
        return number * 2

    assert await each(range(40), 4, double) == [number * 2 for number in range(40)]
    assert most == 4


def test_results_survive_their_file_and_name_missed_targets() -> None:
    targets = (Target("a ratio", 0.25, 0.5), Target("a rate", 2.0, 3, True))
    section = Section("x", "A title", "How.", ("", "ms"), (("p50", 1234.5), ("runs", 10)), targets)

    stored = json.loads(json.dumps(report.collected([section], "small", "legacy", 0.5)))
    text = report.rendered(stored)

    assert stored["targetsMet"] == "1 of 2"
    assert "| p50 | 1,234.5 |" in text
    assert "| a ratio | ≤ 0.5 | 0.25 | met |" in text
    assert "| a rate | ≥ 3 | 2 | **missed** |" in text
    assert "legacy expression engine" in text


def test_one_change_touches_the_first_workflow_alone() -> None:
    # The file holds a placeholder in value position: it is no JSON until the platform resolves it.
    text = '{"nodes": [{"value": {{INSTPARM_X_MRAPTSNI}}}], "connections": {}}'
    first = {"n8nWorkflowJsonBase64": base64.b64encode(text.encode()).decode()}
    configuration: dict[str, object] = {"workflows": [first, {"n8nWorkflowJsonBase64": "bm90aGluZw=="}]}

    changed = with_one_change(configuration, "new words")

    workflows = changed["workflows"]
    assert isinstance(workflows, list)
    assert '"new words"' in base64.b64decode(workflows[0]["n8nWorkflowJsonBase64"]).decode()
    assert "{{INSTPARM_X_MRAPTSNI}}" in base64.b64decode(workflows[0]["n8nWorkflowJsonBase64"]).decode()
    assert workflows[1] == {"n8nWorkflowJsonBase64": "bm90aGluZw=="}
    assert configuration["workflows"] == [first, workflows[1]]

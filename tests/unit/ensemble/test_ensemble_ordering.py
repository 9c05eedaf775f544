import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ensemble import order, references
from shared.errors import InvalidConfiguration


def test_references_are_the_subworkflow_placeholders_in_any_case_and_with_hyphens() -> None:
    text = '"{{SUBWKFL_text-processor_LFKWBUS}}" "={{SUBWKFL_SubB_2_LFKWBUS}}" {{INSTPARM_X_MRAPTSNI}}'
    assert references(text) == {"text-processor", "SubB_2"}


def test_children_come_before_their_parents_level_by_level() -> None:
    refs = {"main": {"a", "b"}, "a": {"leaf"}, "b": set(), "leaf": set(), "other": set()}
    assert order(refs) == [["b", "leaf", "other"], ["a"], ["main"]]


def test_a_cycle_is_refused_and_printed_in_calling_order() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        order({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})
    cycle = str(caught.value.details["reason"]).rpartition(": ")[2].split(" → ")
    assert cycle[0] == cycle[-1]
    refs = {"a": "b", "b": "c", "c": "a"}
    assert all(refs[caller] == callee for caller, callee in itertools.pairwise(cycle))


def test_a_workflow_that_calls_itself_is_a_cycle() -> None:
    with pytest.raises(InvalidConfiguration, match="a → a"):
        order({"a": {"a"}})


def test_a_reference_to_nobody_names_caller_and_target() -> None:
    with pytest.raises(InvalidConfiguration, match="'main' refers to unknown sub-workflow\\(s\\): gone"):
        order({"main": {"gone"}})


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.tuples(st.integers(0, n), st.integers(0, n)))))
def test_every_acyclic_ensemble_is_ordered_with_callees_strictly_earlier(
    edges: list[tuple[int, int]],
) -> None:
    refs: dict[str, set[str]] = {f"w{number}": set() for number in range(13)}
    for one, other in edges:
        if one != other:
            refs[f"w{max(one, other)}"].add(f"w{min(one, other)}")
    levels = order(refs)
    position = {name: index for index, level in enumerate(levels) for name in level}
    assert sorted(position) == sorted(refs)
    assert all(position[target] < position[name] for name, targets in refs.items() for target in targets)

"""What two versions of a use case differ in: everything is told, nothing else is, and nothing breaks it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ensemble.difference import Difference, Sources, difference
from shared.ensemble.difference.values import Change, changes

Json = dict[str, Any]

_MARKED = '{"nodes": [], "connections": {}, "settings": {"a": {{INSTPARM_MAX_MRAPTSNI}}}}'


def _node(number: int, **fields: Any) -> Json:
    return {
        "id": f"n{number}",
        "name": f"Step {number}",
        "type": "n8n-nodes-base.set",
        "typeVersion": 3,
        "position": [0, 0],
        "parameters": {"value": number},
        **fields,
    }


def _file() -> Json:
    return {
        "nodes": [_node(0), _node(1)],
        "connections": {"Step 0": {"main": [[{"node": "Step 1", "type": "main", "index": 0}]]}},
        "settings": {"executionOrder": "v1"},
    }


def _configuration() -> Json:
    return {
        "title": "Orders",
        "description": "Takes orders",
        "tags": ["sales"],
        "workflows": [
            {
                "workflowTemplateId": "take",
                "workflowName": "Take order",
                "cost": 1,
                "triggers": [
                    {"triggerId": "t1", "type": "http", "method": "POST", "inputSchema": [{"key": "sku"}]}
                ],
            }
        ],
        "deploymentInputSchema": [
            {"type": "section", "inputSchema": [{"key": "SHOP", "type": "string", "required": True}]}
        ],
        "defaultDeploymentParameters": {"SHOP": "Corner"},
    }


def _version(configuration: Json | None = None, file: Json | str | None = None, **files: str) -> Sources:
    text = file if isinstance(file, str) else json.dumps(file or _file())
    return Sources(configuration or _configuration(), {"take": text}, files)


def _after(edit: Callable[[Json, Json], object]) -> Difference:
    """Return what differs after an edit of a copy of the configuration and the file."""
    configuration, file = _configuration(), _file()
    edit(configuration, file)
    return difference(_version(), _version(configuration, file))


def test_equal_versions_differ_in_nothing() -> None:
    found = difference(_version(a="1"), _version(a="1"))
    assert found.identical
    assert found.summary == []


def test_what_n8n_keeps_for_itself_is_no_difference() -> None:
    def move(configuration: Json, file: Json) -> None:
        file["nodes"][0]["position"] = [400, 7]
        file |= {"pinData": {"Step 0": [{"secret": 1}]}, "staticData": {"last": 3}, "versionId": "x"}
        configuration["workflows"][0]["triggers"][0]["triggerId"] = "another"

    assert _after(move).identical


def _rename(_: Json, file: Json) -> None:
    file["nodes"][1]["name"] = "Ship"
    file["connections"]["Step 0"]["main"][0][0]["node"] = "Ship"


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (
            lambda c, f: f["nodes"][0]["parameters"].update(value=9),
            "Workflow 'Take order': node 'Step 0' (set) changed at /parameters/value",
        ),
        (_rename, "Workflow 'Take order': node 'Ship' (set) renamed from 'Step 1'"),
        (_rename, "Workflow 'Take order': connection Step 0 → Ship added"),
        (_rename, "Workflow 'Take order': connection Step 0 → Step 1 removed"),
        (lambda c, f: f["nodes"].append(_node(2)), "Workflow 'Take order': node 'Step 2' (set) added"),
        (lambda c, f: f["nodes"].pop(), "Workflow 'Take order': node 'Step 1' (set) removed"),
        (
            lambda c, f: f["nodes"][0].update(typeVersion=4),
            "Workflow 'Take order': node 'Step 0' (set) changed at /typeVersion",
        ),
        (
            lambda c, f: f["settings"].update(timezone="Europe/Rome"),
            "Workflow 'Take order': settings /timezone changed: now \"Europe/Rome\"",
        ),
        (
            lambda c, f: c["workflows"][0]["triggers"][0].update(method="PUT"),
            'Workflow \'Take order\': trigger /triggers/0/method changed: "POST" → "PUT"',
        ),
        (
            lambda c, f: c["workflows"][0]["triggers"][0]["inputSchema"][0].update(required=True),
            "Workflow 'Take order': interface /inputSchema/0/required changed: now true",
        ),
        (
            lambda c, f: c["workflows"][0].update(cost=2),
            "Workflow 'Take order': details /cost changed: 1 → 2",
        ),
        (
            lambda c, f: c["workflows"].append({"workflowTemplateId": "ship", "workflowName": "Ship"}),
            "Workflow 'Ship' added",
        ),
        (lambda c, f: c["workflows"].clear(), "Workflow 'Take order' removed"),
        (lambda c, f: c.update(title="Sales"), 'title changed: "Orders" → "Sales"'),
        (lambda c, f: c.update(tags=[]), 'tags changed: ["sales"] is gone'),
    ],
)
def test_every_edit_is_told_in_a_sentence(edit: Callable[[Json, Json], object], line: str) -> None:
    found = _after(edit)
    assert line in found.summary
    assert not found.identical


def test_files_are_told_apart_by_their_content() -> None:
    found = difference(_version(gone="1", same="1", other="1"), _version(same="1", other="2", new="3"))
    assert [(f.path, f.kind) for f in found.files] == [
        ("other", "changed"),
        ("new", "added"),
        ("gone", "removed"),
    ]


@pytest.mark.parametrize(
    ("fields", "defaults", "breaking"),
    [
        ({"type": "string", "required": True}, {}, True),
        ({"type": "string", "required": True, "defaultValue": "x"}, {}, False),
        ({"type": "string", "required": True}, {"NEW": "x"}, False),
        ({"type": "string"}, {}, False),
    ],
)
def test_a_new_parameter_is_breaking_when_installations_must_give_it(
    fields: Json, defaults: Json, breaking: bool
) -> None:
    def add(configuration: Json, _: Json) -> None:
        configuration["deploymentInputSchema"].append({"key": "NEW", **fields})
        configuration["defaultDeploymentParameters"] |= defaults

    found = _after(add)
    assert [(p.key, p.kind, p.breaking) for p in found.parameters] == [("NEW", "added", breaking)]
    assert found.breaking is breaking


def test_a_parameter_of_another_type_is_breaking_and_so_is_one_that_is_gone() -> None:
    def retype(configuration: Json, _: Json) -> None:
        configuration["deploymentInputSchema"][0]["inputSchema"][0]["type"] = "number"

    assert _after(retype).breaking
    assert _after(lambda c, f: c["deploymentInputSchema"].clear()).parameters[0].breaking


def test_a_default_that_changed_is_told_and_breaks_nobody() -> None:
    found = _after(lambda c, f: c["defaultDeploymentParameters"].update(SHOP="Market"))
    assert [p.key for p in found.parameters] == ["SHOP"]
    assert not found.breaking


def test_a_file_with_placeholders_for_values_is_compared_like_any_other() -> None:
    other = _MARKED.replace("{{INSTPARM_MAX_MRAPTSNI}}", "3").replace('"a"', '"timezone"')
    marked = _MARKED.replace('"a"', '"timezone"')
    (workflow,) = difference(_version(None, marked), _version(None, other)).workflows
    assert workflow.settings == [Change(path="/timezone", before='"{{INSTPARM_MAX_MRAPTSNI}}"', after="3")]


def test_a_file_that_is_no_workflow_is_told_to_have_changed() -> None:
    (workflow,) = difference(_version(None, "nothing"), _version()).workflows
    assert workflow.file == "changed"


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def _applied(value: Any, found: list[Change]) -> str:
    """Return a digest of a value without everything at or below the paths that changed."""

    def kept(inner: Any, path: str) -> Any:
        if any(change.path == path for change in found):
            return "…"
        if isinstance(inner, dict):
            named = {k: f"{path}/{k.replace('~', '~0').replace('/', '~1')}" for k in inner}
            return {
                k: kept(v, named[k])
                for k, v in inner.items()
                if not any(change.path == named[k] for change in found)
            }
        if isinstance(inner, list):
            below = [(v, f"{path}/{i}") for i, v in enumerate(inner)]
            return [kept(v, p) for v, p in below if not any(change.path == p for change in found)]
        return float(inner) if isinstance(inner, int) and not isinstance(inner, bool) else inner

    try:
        text = json.dumps(kept(value, ""), sort_keys=True)
    except OverflowError:
        text = "huge"
    return hashlib.sha256(text.encode()).hexdigest()


@given(before=_JSON, after=_JSON)
def test_values_are_equal_but_for_the_changes_that_are_told(before: Any, after: Any) -> None:
    found = changes(before, after)
    assert _applied(before, found) == _applied(after, found)


@given(before=_JSON, after=_JSON)
def test_seen_from_the_other_side_the_changes_are_mirrored(before: Any, after: Any) -> None:
    there = {change.path: change.mirrored() for change in changes(before, after)}
    back = {change.path: change for change in changes(after, before)}
    assert there == back


@given(value=_JSON)
def test_a_value_does_not_differ_from_a_copy_of_it(value: Any) -> None:
    assert changes(value, copy.deepcopy(value)) == []


_NAMED = st.fixed_dictionaries(
    {},
    optional={
        "title": _JSON,
        "tags": _JSON,
        "deploymentInputSchema": _JSON,
        "defaultDeploymentParameters": _JSON,
        "workflows": st.lists(
            st.fixed_dictionaries(
                {"workflowTemplateId": st.just("take")},
                optional={"triggers": _JSON, "cost": _JSON, "outputSchema": _JSON, "workflowName": _JSON},
            ),
            max_size=2,
        )
        | _JSON,
    },
)
_FILES = st.fixed_dictionaries({}, optional={"nodes": _JSON, "connections": _JSON, "settings": _JSON}).map(
    json.dumps
) | st.text(max_size=20)


@given(one=_NAMED, other=_NAMED, text=_FILES, other_text=_FILES)
def test_no_two_versions_are_too_strange_to_compare(
    one: Mapping[str, Any], other: Mapping[str, Any], text: str, other_text: str
) -> None:
    before, after = Sources(one, {"take": text}), Sources(other, {"take": other_text})
    forth, back = difference(before, after), difference(after, before)
    assert forth.identical == back.identical
    assert len(forth.workflows) == len(back.workflows)
    assert difference(before, before).identical

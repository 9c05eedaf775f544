"""What a file must be before rules can look at it: a workflow (platform §23.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.validation.engine.finding import Problem
from shared.validation.engine.source import pointer
from shared.validation.engine.workflow import list_of, object_of, text_of

_NUMBER = (int, float)
_OF_WORKFLOW: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "id": (str, int, float),
    "versionId": str,
    "active": bool,
    "settings": dict,
    "meta": dict,
    "pinData": dict,
    "tags": list,
}
_OF_NODE: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "typeVersion": _NUMBER,
    "parameters": dict,
    "credentials": dict,
    "disabled": bool,
    "continueOnFail": bool,
    "notesInFlow": bool,
    "notes": str,
}


def misshapen(data: object) -> Iterator[Problem]:
    """Yield what keeps parsed JSON from being a workflow."""
    if not isinstance(data, dict):
        yield Problem("The file is not a JSON object", pointer="")
        return
    if not isinstance(data.get("nodes"), list):
        yield Problem('The workflow has no list "nodes"', pointer="/nodes")
    if not isinstance(data.get("connections"), dict):
        yield Problem('The workflow has no object "connections"', pointer="/connections")
    yield from _mistyped(data, _OF_WORKFLOW, "of the workflow", "")
    nodes = list_of(data.get("nodes"))
    for index, node in enumerate(nodes):
        yield from _node(index, node)
    yield from _repeated(nodes)
    yield from _loose(nodes, data.get("connections"))


def _node(index: int, node: object) -> Iterator[Problem]:
    at = pointer("nodes", index)
    if not isinstance(node, dict):
        yield Problem(f"Node {index} is not an object", pointer=at)
        return
    for name in ("type", "name"):
        if not isinstance(node.get(name), str) or not node[name]:
            yield Problem(f"Node {index} has no {name}", pointer=f"{at}/{name}")
    if node.get("id") == "":
        yield Problem(f"Node {index} has an empty id", pointer=f"{at}/id")
    if "position" in node and not _is_position(node["position"]):
        yield Problem(f"The position of node {index} is not two numbers", pointer=f"{at}/position")
    yield from _mistyped(node, _OF_NODE, f"of node {index}", at)


def _mistyped(
    given: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]], of: str, at: str
) -> Iterator[Problem]:
    for name, kind in kinds.items():
        # In Python a truth value is a number as well.
        if name in given and (
            not isinstance(given[name], kind) or (isinstance(given[name], bool) and kind is not bool)
        ):
            yield Problem(f'"{name}" {of} has the wrong type', pointer=f"{at}/{name}")


def _is_position(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) for part in value)
    )


def _repeated(nodes: list[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, node in enumerate(nodes):
        key = object_of(node).get("id") or object_of(node).get("name")
        if not isinstance(key, str | int | float) or not key:
            continue
        if str(key) in seen:
            yield Problem(f'Node id "{key}" is used twice', pointer=pointer("nodes", index, "id"))
        seen.add(str(key))


def _loose(nodes: list[Any], connections: object) -> Iterator[Problem]:
    known = {text_of(object_of(node).get(name)) for node in nodes for name in ("id", "name")} - {""}
    for source, channels in object_of(connections).items():
        at = pointer("connections", source)
        if source not in known:
            yield Problem(f'Connections start at "{source}", which is no node', pointer=at)
        if not isinstance(channels, dict):
            yield Problem(f'The connections of "{source}" are not an object', pointer=at)
        for channel, outputs in object_of(channels).items():
            here = pointer("connections", source, channel)
            if not isinstance(outputs, list) or not all(isinstance(one, list | dict) for one in outputs):
                yield Problem(f'The "{channel}" outputs of "{source}" are not lists', pointer=here)
                continue
            for output, targets in enumerate(outputs):
                if isinstance(targets, dict):
                    yield from _target(source, targets, known, f"{here}/{output}")
                for index, target in enumerate(list_of(targets)):
                    yield from _target(source, target, known, f"{here}/{output}/{index}")


def _target(source: str, target: object, known: set[str], at: str) -> Iterator[Problem]:
    name = object_of(target).get("node")
    if text_of(name) not in known:
        yield Problem(f'A connection from "{source}" leads to "{name}", which is no node', pointer=at)
    if isinstance(target, dict) and not isinstance(target.get("index", 0), int | float):
        yield Problem(f'The index of a connection from "{source}" is no number', pointer=f"{at}/index")

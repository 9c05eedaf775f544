"""What a file must be before rules can look at it: a workflow (platform §23.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.validation.engine.finding import Problem
from shared.validation.engine.source import pointer
from shared.validation.engine.workflow import list_of, object_of

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "id": (str, int, float),
    "typeVersion": (int, float),
    "parameters": dict,
    "credentials": dict,
    "disabled": bool,
    "notes": str,
    "retryOnFail": bool,
    "alwaysOutputData": bool,
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
    if "name" in data and not isinstance(data["name"], str):
        yield Problem("The workflow's name is not a text", pointer="/name")
    for name in ("settings", "meta"):
        if name in data and not isinstance(data[name], dict | None):
            yield Problem(f'The workflow\'s "{name}" is not an object', pointer=pointer(name))
    nodes = list_of(data.get("nodes"))
    for index, node in enumerate(nodes):
        yield from _node(index, node)
    yield from _repeated(nodes)
    yield from _loose(nodes, data.get("connections"))


def _node(index: int, node: object) -> Iterator[Problem]:
    if not isinstance(node, dict):
        yield Problem(f"Node {index} is not an object", pointer=pointer("nodes", index))
        return
    for name in ("type", "name"):
        if not isinstance(node.get(name), str) or not node[name]:
            yield Problem(f"Node {index} has no {name}", pointer=pointer("nodes", index, name))
    if "position" in node and not _is_position(node["position"]):
        yield Problem(
            f"The position of node {index} is not two numbers", pointer=pointer("nodes", index, "position")
        )
    for name, kind in _KINDS.items():
        if name in node and (
            not isinstance(node[name], kind) or (isinstance(node[name], bool) != (kind is bool))
        ):
            yield Problem(
                f'"{name}" of node {index} has the wrong type', pointer=pointer("nodes", index, name)
            )


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
    known = {str(object_of(node).get(name)) for node in nodes for name in ("id", "name")}
    for source, channels in object_of(connections).items():
        if source not in known:
            yield Problem(
                f'Connections start at "{source}", which is no node', pointer=pointer("connections", source)
            )
        for channel, outputs in object_of(channels).items():
            for output, targets in enumerate(list_of(outputs)):
                for index, target in enumerate(list_of(targets)):
                    name = object_of(target).get("node")
                    if name not in known:
                        at = pointer("connections", source, channel, output, index)
                        yield Problem(
                            f'A connection from "{source}" leads to "{name}", which is no node', pointer=at
                        )

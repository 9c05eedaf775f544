"""What a file must be before rules can look at it: a workflow (platform §23.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.validation.engine.finding import Problem
from shared.validation.engine.source import pointer
from shared.validation.engine.workflow import list_of, object_of, text_of

_NUMBER = (int, float)
_Kinds = Mapping[str, tuple[type, ...]]
_OF_WORKFLOW: _Kinds = {
    "name": (str,),
    "id": (str, *_NUMBER),
    "versionId": (str,),
    "active": (bool,),
    "settings": (dict,),
    "meta": (dict,),
    "pinData": (dict,),
    "tags": (list,),
}
_OF_NODE: _Kinds = {
    "id": (str,),
    "typeVersion": _NUMBER,
    "parameters": (dict,),
    "credentials": (dict,),
    "disabled": (bool,),
    "continueOnFail": (bool,),
    "notesInFlow": (bool,),
    "notes": (str,),
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
    for name in _mistyped(data, _OF_WORKFLOW):
        yield Problem(f'"{name}" of the workflow has the wrong type', pointer=f"/{name}")
    nodes = list_of(data.get("nodes"))
    for index, node in enumerate(nodes):
        yield from _node(index, node)
    yield from _repeated(nodes)
    yield from _loose(nodes, data.get("connections"))


def _node(index: int, node: object) -> Iterator[Problem]:
    at = f"/nodes/{index}"
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
    for name in _mistyped(node, _OF_NODE):
        yield Problem(f'"{name}" of node {index} has the wrong type', pointer=f"{at}/{name}")


def _mistyped(given: Mapping[str, Any], kinds: _Kinds) -> list[str]:
    # Exactly: in Python a truth value is a number as well.
    return [name for name, value in given.items() if name in kinds and type(value) not in kinds[name]]


def _is_position(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and type(value[0]) in _NUMBER
        and type(value[1]) in _NUMBER
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
        at = ("connections", source)
        if source not in known:
            yield Problem(f'Connections start at "{source}", which is no node', pointer=pointer(*at))
        if not isinstance(channels, dict):
            yield Problem(f'The connections of "{source}" are not an object', pointer=pointer(*at))
        for channel, outputs in object_of(channels).items():
            if not isinstance(outputs, list) or not all(isinstance(one, list | dict) for one in outputs):
                said = f'The "{channel}" outputs of "{source}" are not lists'
                yield Problem(said, pointer=pointer(*at, channel))
                continue
            for output, targets in enumerate(outputs):
                if isinstance(targets, dict):
                    yield from _target(source, targets, known, (*at, channel, output))
                for index, target in enumerate(list_of(targets)):
                    yield from _target(source, target, known, (*at, channel, output, index))


def _target(source: str, target: object, known: set[str], at: tuple[str | int, ...]) -> Iterator[Problem]:
    name = object_of(target).get("node")
    if text_of(name) not in known:
        said = f'A connection from "{source}" leads to "{name}", which is no node'
        yield Problem(said, pointer=pointer(*at))
    if isinstance(target, dict) and not isinstance(target.get("index", 0), int | float):
        said = f'The index of a connection from "{source}" is no number'
        yield Problem(said, pointer=pointer(*at, "index"))

"""A workflow as rules see it: its nodes, what they are connected to, and the text it was read from.

Rules meet whatever authors and tools write. So what is not of the expected shape is left out here, and rules
need not ask again; that it has the wrong shape is told once, by ``JSON-001``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from shared.model.node_types import OPERATIONS_OF_OLD_TYPES
from shared.validation.engine.source import Source, pointer

Json = dict[str, Any]


class Text(NamedTuple):
    """A text among a node's parameters, or the name of one of their members."""

    text: str
    is_name: bool
    within: _Step

    @property
    def path(self) -> tuple[str | int, ...]:
        """What leads to it from the node: names and indexes, beginning with ``parameters``."""
        steps: list[str | int] = []
        step: _Step | None = self.within
        while step is not None:
            steps.append(step.name)
            step = step.before
        return tuple(reversed(steps))


class _Step(NamedTuple):
    """A way down, told from its end: many texts share the way to them."""

    name: str | int
    before: _Step | None


class Node:
    """A node and where it stands.

    ``id`` is its name when it has no id; ``short_type`` the last segment of the type, e.g. ``httpRequest``.
    """

    __slots__ = ("data", "id", "index", "lower_type", "name", "parameters", "short_type", "type")

    def __init__(self, index: int, data: Mapping[str, Any]) -> None:
        """Take a node's place among all, and what is written of it."""
        # Not when they are first asked for: every rule asks, and Python 3.11 takes a lock for that.
        self.index = index
        self.data = data
        self.name = text_of(data.get("name"))
        self.id = text_of(data.get("id")) or self.name
        self.type = text_of(data.get("type"))
        self.lower_type = self.type.lower()
        self.short_type = self.type.rpartition(".")[2]
        self.parameters = object_of(data.get("parameters"))

    @property
    def operation(self) -> str:
        """The operation among the parameters, or the one an old type stands for; else an empty text."""
        stated = text_of(self.parameters.get("operation"))
        return stated or OPERATIONS_OF_OLD_TYPES.get(self.short_type, "")

    @property
    def is_codika(self) -> bool:
        """Whether it is one of the platform's own nodes."""
        return "codika" in self.lower_type

    def texts(self) -> Iterator[Text]:
        """Yield every text among the parameters, and every name, in order."""
        waiting: list[tuple[object, _Step]] = [(self.parameters, _Step("parameters", None))]
        while waiting:
            value, step = waiting.pop()
            if isinstance(value, str):
                yield Text(value, False, step)
            elif isinstance(value, dict):
                inner = [(deeper, _Step(name, step)) for name, deeper in value.items()]
                yield from (Text(str(below.name), True, below) for _, below in inner)
                waiting += reversed(inner)
            elif isinstance(value, list):
                waiting += [(value[index], _Step(index, step)) for index in reversed(range(len(value)))]

    def at(self, *parts: str | int) -> str:
        """Return the JSON pointer of a part of the node."""
        return pointer("nodes", self.index, *parts)


class Connection(NamedTuple):
    """An edge from one node to another; ``channel`` is ``main`` or one of the AI channels."""

    source: Node
    target: Node
    channel: str
    output: int


class Workflow:
    """A workflow that could be read, and passed the checks of its shape."""

    def __init__(self, source: Source, data: Mapping[str, Any]) -> None:
        """Take a file, and what it says."""
        self.source = source
        self.data = data

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes in order."""
        given = self.data.get("nodes")
        rows = given if isinstance(given, list) else []
        return [Node(index, row) for index, row in enumerate(rows) if isinstance(row, dict)]

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The settings, or none."""
        return object_of(self.data.get("settings"))

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by id, and by name, which wins: connections name names."""
        by_id = {node.id: node for node in self.nodes}
        return {**by_id, **{node.name: node for node in self.nodes}}

    @cached_property
    def connections(self) -> list[Connection]:
        """Every edge between nodes that exist."""
        return list(self._connections())

    @cached_property
    def following(self) -> Mapping[int, list[Node]]:
        """Direct successors by a node's index, over every channel."""
        found: dict[int, list[Node]] = {}
        for connection in self.connections:
            found.setdefault(connection.source.index, []).append(connection.target)
        return found

    @cached_property
    def preceding(self) -> Mapping[int, list[Node]]:
        """Direct predecessors by a node's index, over every channel."""
        found: dict[int, list[Node]] = {}
        for connection in self.connections:
            found.setdefault(connection.target.index, []).append(connection.source)
        return found

    @cached_property
    def is_subworkflow(self) -> bool:
        """Whether other workflows call it."""
        return any("executeworkflowtrigger" in node.lower_type for node in self.nodes)

    def after(self, node: Node) -> list[Node]:
        """Return the nodes a node is connected to."""
        return self.following.get(node.index, [])

    def before(self, node: Node) -> list[Node]:
        """Return the nodes that are connected to a node."""
        return self.preceding.get(node.index, [])

    def _connections(self) -> Iterator[Connection]:
        for name, channels in object_of(self.data.get("connections")).items():
            source = self.by_name.get(name)
            if source is None:
                continue
            for channel, outputs in object_of(channels).items():
                for output, targets in enumerate(list_of(outputs)):
                    # An output may stand for itself, without a list around its one target.
                    for target in targets if isinstance(targets, list) else [targets]:
                        found = self.by_name.get(text_of(object_of(target).get("node")))
                        if found is not None:
                            yield Connection(source, found, channel, output)


def reachable(start: Iterable[Node], step: Callable[[Node], Iterable[Node]]) -> set[int]:
    """Return the indexes of the nodes that some steps from the first ones lead to, those included."""
    waiting = list(start)
    reached = {node.index for node in waiting}
    while waiting:
        for node in step(waiting.pop()):
            if node.index not in reached:
                reached.add(node.index)
                waiting.append(node)
    return reached


def text_of(value: object) -> str:
    """Return a text, or an empty one for anything else."""
    return value if isinstance(value, str) else ""


def object_of(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []

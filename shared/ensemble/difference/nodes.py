"""Differences of a workflow's nodes and of the connections between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.ensemble.body import NODE_KEYS
from shared.ensemble.difference.values import Change, Kind, changes_of
from shared.model.document import Document

Node = Mapping[str, object]

_COMPARED = tuple(sorted(NODE_KEYS - {"id", "name", "position", "webhookId"}))


class NodeChange(Document):
    """A node that differs. ``previous_name`` is there when it was renamed."""

    name: str
    type: str
    kind: Kind
    previous_name: str | None = None
    changes: list[Change] = []


class ConnectionChange(Document):
    """A connection that only one version has: ``Source → Target``, with its kind unless that is ``main``."""

    connection: str
    kind: Kind


def node_changes(before: list[Node], after: list[Node]) -> list[NodeChange]:
    """Return the nodes that differ. A node is the same one by its id or, without one, by its name."""
    known = _identified(before)
    found: list[NodeChange] = []
    for identity, node in _identified(after).items():
        previous = known.pop(identity, None)
        if previous is None:
            found.append(NodeChange(name=_name(node), type=_type(node), kind=Kind.ADDED))
        elif change := _changed(previous, node):
            found.append(change)
    gone = [NodeChange(name=_name(n), type=_type(n), kind=Kind.REMOVED) for n in known.values()]
    return [*found, *gone]


def connection_changes(before: object, after: object) -> list[ConnectionChange]:
    """Return the connections that only one version has."""
    old, new = dict.fromkeys(_connections(before)), dict.fromkeys(_connections(after))
    return [
        *(ConnectionChange(connection=one, kind=Kind.ADDED) for one in new if one not in old),
        *(ConnectionChange(connection=one, kind=Kind.REMOVED) for one in old if one not in new),
    ]


def _changed(before: Node, after: Node) -> NodeChange | None:
    found = changes_of(before, after, _COMPARED)
    renamed = _name(before) != _name(after)
    if not found and not renamed:
        return None
    return NodeChange(
        name=_name(after),
        type=_type(after),
        kind=Kind.CHANGED,
        previous_name=_name(before) if renamed else None,
        changes=found,
    )


def _identified(nodes: list[Node]) -> dict[tuple[str, str, int], Node]:
    """Return nodes by what recognises them; the number keeps apart those that share an id or a name."""
    identified: dict[tuple[str, str, int], Node] = {}
    for node in nodes:
        given = node.get("id")
        label = ("id", given) if isinstance(given, str) and given else ("name", _name(node))
        number = 0
        while (*label, number) in identified:
            number += 1
        identified[*label, number] = node
    return identified


def _connections(given: object) -> Iterator[str]:
    for source, kinds in given.items() if isinstance(given, Mapping) else ():
        for kind, outputs in kinds.items() if isinstance(kinds, Mapping) else ():
            for output, targets in enumerate(outputs if isinstance(outputs, list) else ()):
                for target in targets if isinstance(targets, list) else ():
                    if isinstance(target, Mapping):
                        yield _connection(str(source), str(kind), output, target)


def _connection(source: str, kind: str, output: int, target: Mapping[str, object]) -> str:
    from_output = f" [{output}]" if output else ""
    to_input = f" [{target.get('index')}]" if target.get("index") else ""
    named = f" ({kind})" if kind != "main" else ""
    return f"{source}{from_output} → {target.get('node')}{to_input}{named}"


def _name(node: Node) -> str:
    return str(node.get("name", ""))


def _type(node: Node) -> str:
    return str(node.get("type", ""))

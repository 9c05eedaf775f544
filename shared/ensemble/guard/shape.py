"""Nodes are written the one way in which n8n reads them as the other rules do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shared.ensemble.guard.context import Bodies, Context, Violation, each_node

# n8n takes the first two parts between dots and ignores the rest: 'package.executeCommand.anything' runs.
_TYPE = re.compile(r"(?:@[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


def readable_types(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """A node's type is a package and a name, as n8n writes it."""
    for workflow, node in each_node(bodies):
        kind = node.get("type")
        if not isinstance(kind, str) or _TYPE.fullmatch(kind) is None:
            reason = f"its type '{kind}' is not a package and a node name, like n8n-nodes-base.set"
            yield Violation("readable-types", workflow, str(node.get("name")), reason)


def plain_parameters(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Parameters are an object, and no key can stand in for others once JavaScript copies them."""
    for workflow, node in each_node(bodies):
        given = node.get("parameters")
        name = str(node.get("name"))
        if not isinstance(given, Mapping):
            yield Violation("plain-parameters", workflow, name, "its parameters are not an object")
        elif _has_prototype([given, node.get("credentials")]):
            reason = "it has a key '__proto__', which JavaScript takes for something else; rename it"
            yield Violation("plain-parameters", workflow, name, reason)


def distinct_names(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Every node of a workflow has a name of its own: of two with one name, n8n runs the last."""
    for workflow, body in bodies.items():
        seen: set[str] = set()
        for node in body["nodes"]:
            name = node.get("name")
            if not isinstance(name, str) or not name:
                yield Violation("distinct-names", workflow, None, "a node has no name")
            elif name in seen:
                yield Violation("distinct-names", workflow, name, "another node has the same name")
            else:
                seen.add(name)


def _has_prototype(value: object) -> bool:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, Mapping):
            if "__proto__" in current:
                return True
            pending += current.values()
        elif isinstance(current, list):
            pending += current
    return False

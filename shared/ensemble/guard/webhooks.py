"""Webhook paths: each installation keeps to its own, and no two nodes share one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.ensemble.body import Node, parameters, type_name
from shared.ensemble.guard.context import Bodies, Context, Violation, each_node, static_text

_WITH_PATH = ("webhook", "formtrigger", "mcptrigger")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def own_paths(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """Webhook paths are constant and lie under this process and instance."""
    for workflow, node in each_node(bodies):
        for given in _given_paths(node):
            reason = _path_problem(given, context)
            if reason:
                yield Violation("own-paths", workflow, str(node.get("name")), reason)


def distinct_paths(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """No two webhooks of the ensemble answer the same method and path."""
    taken: dict[tuple[str, str], tuple[int, str]] = {}
    for index, (workflow, node) in enumerate(each_node(bodies)):
        name = str(node.get("name"))
        this = index, f"'{name}' of '{workflow}'"
        for path in filter(None, map(static_text, _given_paths(node))):
            for method in _methods(node):
                owner = taken.setdefault((method, path.strip("/")), this)
                if owner != this:
                    reason = f"its webhook path '{path}' is taken by node {owner[1]}"
                    yield Violation("distinct-paths", workflow, name, reason)


def _given_paths(node: Node) -> list[object]:
    """Return what a node states as its path; a form without one goes by its webhook id."""
    name = type_name(node).lower()
    if name not in _WITH_PATH:
        return []
    stated = parameters(node)
    options = stated.get("options")
    given = [stated.get("path"), options.get("path") if isinstance(options, dict) else None]
    paths: list[object] = [path for path in given if path not in (None, "")]
    if not paths and name != "formtrigger":
        paths.append("")
    return paths


def _path_problem(given: object, context: Context) -> str | None:
    path = static_text(given)
    if path is None:
        return "its webhook path is an expression; use placeholders instead"
    segments = path.strip("/").split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        return f"its webhook path '{path}' is empty or has empty or relative segments"
    if _is_own(segments, context):
        return None
    return f"its webhook path '{path}' is not under this process and instance"


def _is_own(segments: list[str], context: Context) -> bool:
    first, rest = segments[0], segments[1:]
    if context.instance_id is not None and first == context.instance_id:
        return bool(rest)
    if first != context.process_id or not rest:
        return False
    if rest[0] == context.instance_id:
        return len(rest) > 1
    # Another installation of the same process lives under <process>/<instance>/.
    return not _UUID.fullmatch(rest[0])


def _methods(node: Node) -> list[str]:
    stated = parameters(node).get("httpMethod", "GET")
    if type_name(node).lower() != "webhook":
        return ["GET", "POST"]
    return [str(method) for method in stated] if isinstance(stated, list) else [str(stated)]

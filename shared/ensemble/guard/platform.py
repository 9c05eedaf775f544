"""The platform's own credentials: used by tenants' workflows, and not to be read by them.

A workflow that could choose where such a credential is sent could have it sent to its author.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.ensemble.body import Node, parameters, type_name
from shared.ensemble.guard.context import Bodies, Context, Violation

_HEADER = "httpHeaderAuth"
# n8n itself keeps these to the domains that the credential names.
_RESTRICTED = ("httprequest", "httprequesttool")
_SENDS_ANYWHERE = (*_RESTRICTED, "toolhttprequest", "graphql", "graphqltool")


def platform_credentials(bodies: Bodies, context: Context) -> Iterator[Violation]:
    """A credential of the platform goes to its own service alone."""
    for workflow, body in bodies.items():
        using = [node for node in body["nodes"] if _kinds(node, context)]
        for node in using:
            reason = _problem(node, context)
            if reason:
                yield Violation("platform-credentials", workflow, str(node.get("name")), reason)


def _kinds(node: Node, context: Context) -> list[str]:
    stated = node.get("credentials")
    if not isinstance(stated, Mapping):
        return []
    return [
        str(kind)
        for kind, entry in stated.items()
        if isinstance(entry, Mapping) and _is_platforms(entry.get("id"), context)
    ]


def _is_platforms(identifier: object, context: Context) -> bool:
    return isinstance(identifier, str) and identifier in context.platform_credentials


def _problem(node: Node, context: Context) -> str | None:
    name = type_name(node).lower()
    if any(_may_go_anywhere(kind, name) for kind in _kinds(node, context)):
        return "it could send the platform's credential anywhere; connect a credential of your own"
    stated = parameters(node)
    if _names_address(stated) or isinstance(stated.get("options"), str):
        return "it changes the address the platform's credential is sent to; connect a credential of your own"
    return None


def _may_go_anywhere(kind: str, name: str) -> bool:
    return name not in _RESTRICTED if kind == _HEADER else name in _SENDS_ANYWHERE


def _names_address(value: object) -> bool:
    """Whether something in the parameters is called a base URL, or computes what could be."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str) and "baseurl" in current.lower():
            return True
        if isinstance(current, Mapping):
            pending += [*current.keys(), *current.values()]
        elif isinstance(current, list):
            pending += current
    return False

"""Which workflow calls which, and in what order they are deployed (platform §6.3)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter

from shared.errors import InvalidConfiguration
from shared.model.tokens import Scope, find


def references(text: str) -> set[str]:
    """Return the template ids a workflow file refers to with ``SUBWKFL`` placeholders."""
    return {token.key for token in find(text) if token.scope is Scope.SUBWORKFLOW}


def order(refs: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return the levels of an ensemble, children first; workflows of one level need none of each other.

    ``refs`` maps every workflow to the ones it refers to. Levels are sorted, so equal input gives equal
    output. Raises :class:`InvalidConfiguration` for a reference to a workflow that is not there, and for
    a cycle, which the message prints: ``a → b → a``.
    """
    _require_known(refs)
    sorter = TopologicalSorter(refs)
    try:
        sorter.prepare()
    except CycleError as error:
        # Listed from callee to caller; people read calls the other way.
        cycle = " → ".join(reversed(error.args[1]))
        reason = f"workflows call each other in a cycle: {cycle}"
        raise InvalidConfiguration(f"Invalid sub-workflow references: {reason}.", reason=reason) from None
    levels: list[list[str]] = []
    while sorter.is_active():
        level = sorted(sorter.get_ready())
        levels.append(level)
        sorter.done(*level)
    return levels


def _require_known(refs: Mapping[str, Set[str]]) -> None:
    for name, targets in refs.items():
        unknown = sorted(targets - refs.keys())
        if unknown:
            reason = f"workflow '{name}' refers to unknown sub-workflow(s): {', '.join(unknown)}"
            raise InvalidConfiguration(f"Invalid sub-workflow references: {reason}.", reason=reason)

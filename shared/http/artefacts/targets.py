"""The module of every target, so that a function imports its own module alone."""

from __future__ import annotations

from collections.abc import Iterable

from shared.http.declaration import Endpoint


def module_map(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """Return canonical name → module name below ``functions``."""
    return {endpoint.name: endpoint.handler.__module__.rpartition(".")[2] for endpoint in endpoints}

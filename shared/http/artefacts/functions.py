"""The function map that Terraform reads."""

from __future__ import annotations

from collections.abc import Iterable

from shared.http.access import TaskCall
from shared.http.declaration import Endpoint


def function_map(endpoints: Iterable[Endpoint]) -> dict[str, object]:
    """Return per function: entry point, resources, and whether anybody or only the queue may call it."""
    return {
        endpoint.name.lower(): {
            "entry_point": endpoint.name,
            "timeout_seconds": endpoint.timeout_seconds,
            "memory_mebibytes": endpoint.memory_mebibytes,
            "concurrency": endpoint.concurrency,
            "invoker": "tasks" if isinstance(endpoint.access, TaskCall) else "public",
        }
        for endpoint in endpoints
    }

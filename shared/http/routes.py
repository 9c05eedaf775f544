"""The route table: first path segment, in any case, to endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from shared.http.declaration import Endpoint


def route_table(endpoints: Iterable[Endpoint]) -> dict[str, Endpoint]:
    """Return the endpoint behind every lower-cased first path segment."""
    return {name.lower(): endpoint for endpoint in endpoints for name in endpoint.names}


def first_segment(path: str) -> str:
    """Return the lower-cased first segment of a path; repeated slashes do not count."""
    return next((segment.lower() for segment in path.split("/") if segment), "")

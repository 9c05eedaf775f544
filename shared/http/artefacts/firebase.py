"""The rewrites of ``firebase.json``: the same route table as the gateway's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.http.access import TaskCall
from shared.http.declaration import Endpoint


def hosting(endpoints: Iterable[Endpoint], region: str) -> dict[str, object]:
    """Return the content of ``firebase.json``.

    Paths match in any case and with repeated slashes. Task handlers are not public and have no rewrite:
    tasks reach their functions directly.
    """
    rewrites = [
        {
            "regex": pattern(endpoint),
            "run": {"serviceId": endpoint.name.lower(), "region": region},
        }
        for endpoint in endpoints
        if not isinstance(endpoint.access, TaskCall)
    ]
    return {
        "hosting": {"public": "hosting", "ignore": ["**/.*"], "rewrites": rewrites},
        "firestore": {"rules": "firestore.rules", "indexes": "firestore.indexes.json"},
    }


def pattern(endpoint: Endpoint) -> str:
    """Return the RE2 pattern of an endpoint's public paths."""
    names = "|".join(re.escape(name.lower()) for name in endpoint.names)
    tail = "(/.*)?" if endpoint.params else "/?"
    return f"(?i)^/+({names}){tail}$"

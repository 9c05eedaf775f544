"""The HTTP edge. One module per noun, one public function per endpoint: parse, authorise, call a service.

``MODULES`` is the one list of them; importing a module registers its endpoints.
"""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "accounts",
    "apikeys",
    "audit",
    "authorizations",
    "callbacks",
    "control",
    "credits",
    "deployments",
    "documents",
    "drift",
    "events",
    "files",
    "health",
    "identity",
    "ingestion",
    "installations",
    "instances",
    "integrations",
    "invitations",
    "keys",
    "marketplace",
    "members",
    "notes",
    "openapi",
    "organizations",
    "projects",
    "rollouts",
    "executions",
    "runs",
    "skills",
    "tasks",
    "teams",
    "updates",
    "verification",
    "versions",
    "webhooksecrets",
)


def load_all() -> None:
    """Import every endpoint module, which fills the registry."""
    for name in MODULES:
        import_module(f"functions.{name}")

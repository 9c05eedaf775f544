"""Scopes a key can hold, in one place so that every function knows a new one at once (platform §5)."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a key may do."""

    DEPLOY_USE_CASE = "deploy:use-case"
    PROJECTS_CREATE = "projects:create"
    WORKFLOWS_TRIGGER = "workflows:trigger"
    EXECUTIONS_READ = "executions:read"
    INSTANCES_READ = "instances:read"
    INSTANCES_MANAGE = "instances:manage"
    SKILLS_READ = "skills:read"
    INTEGRATIONS_MANAGE = "integrations:manage"
    API_KEYS_MANAGE = "api-keys:manage"
    PROJECTS_READ = "projects:read"
    ORGANIZATIONS_CREATE = "organizations:create"


ORGANIZATION_SCOPES: tuple[Scope, ...] = tuple(s for s in Scope if s is not Scope.ORGANIZATIONS_CREATE)
"""The ten scopes an organization key can hold, in the order sign-up returns them."""

INSTANCE_KEY_SCOPES: tuple[Scope, ...] = (Scope.WORKFLOWS_TRIGGER, Scope.SKILLS_READ)
"""What an instance key implicitly holds, for its own instance alone."""

LEGACY_SCOPES: dict[str, Scope] = {"deploy:data-ingestion": Scope.DEPLOY_USE_CASE}
"""Scopes that are taken for another one when they are granted, and offered to nobody."""

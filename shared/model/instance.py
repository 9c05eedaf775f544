"""Process instances: one installation each (platform §3, §4)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document
from shared.model.lockable import Lockable


class Environment(StrEnum):
    """Dev and prod live side by side with ids, keys, parameters and runs of their own (platform §12)."""

    DEV = "dev"
    PROD = "prod"


class InactiveReason(StrEnum):
    """Why an instance takes no runs."""

    USER_PAUSED = "user_paused"
    DEPLOY_FAILED = "deploy_failed"
    MISSING_INTEGRATION = "missing_integration"
    AUTO_TOGGLED = "auto_toggled"
    CREDITS_EXHAUSTED = "credits_exhausted"
    ARCHIVED = "archived"


class SharedWith(StrEnum):
    """Who in the organization may use an instance."""

    OWNER_ONLY = "owner_only"
    ADMINS = "admins"
    EVERYONE = "everyone"
    USERS = "users"


EVERYONE = "*"
"""Stands for every member in an instance's audience."""


class Sharing(Document):
    """Who may use an instance. Copied onto endpoints, so a trigger needs no second read."""

    user_id: str
    shared_with: SharedWith = SharedWith.OWNER_ONLY
    shared_with_user_ids: list[str] = []

    def admits(self, user_id: str) -> bool:
        """Return whether a plain member may use the instance (platform §5)."""
        if user_id == self.user_id or self.shared_with is SharedWith.EVERYONE:
            return True
        return self.shared_with is SharedWith.USERS and user_id in self.shared_with_user_ids

    @property
    def audience(self) -> list[str]:
        """The plain members who may use the instance; :data:`EVERYONE` stands for all of them."""
        if self.shared_with is SharedWith.EVERYONE:
            return [self.user_id, EVERYONE]
        listed = self.shared_with_user_ids if self.shared_with is SharedWith.USERS else []
        return list(dict.fromkeys([self.user_id, *listed]))


class TriggerError(Document):
    """A trigger that n8n could not run: a broken schedule, a subscription that a service refused.

    ``count`` is how often since ``first_at``; a run that it starts, and a deployment, end it.
    """

    workflow_id: str
    message: str
    code: str
    first_at: datetime
    last_at: datetime
    count: int = 1


class ProcessInstance(Sharing, Lockable):
    """One installation of a process, in one environment. ``user_id`` is its owner.

    Whoever changes what it runs in n8n holds it meanwhile.
    """

    organization_id: str
    process_id: str
    project_id: str
    environment: Environment
    visible_to: list[str] = []
    """The audience, written down for queries; whoever changes the sharing rewrites it."""
    title: str
    is_active: bool = False
    inactive_reason: InactiveReason | None = None
    switching: bool = False
    """Whether it was begun to switch the workflows on or off in n8n and is not known to be done."""
    archived: bool = False
    current_version: str
    current_deployment_instance_id: str
    live_deployment_instance_id: str | None = None
    """The deployment whose workflows run in n8n; differs from the current one after a failed update."""
    unsettled_deployment_instance_id: str | None = None
    """A failed deployment whose traces could not be removed from n8n yet."""
    deployment_parameters: dict[str, object] = {}
    integration_uses: list[str] = []
    """The integrations its live deployment stands on; found by them when one is deleted."""
    instance_key: str
    """Sealed ``ck_`` key, kept so that its owner can reveal it."""
    pinned: bool = False
    """Whether it stays at its version when another is published."""
    available_template_id: str | None = None
    """A published version it was told of and does not run: pinned, or the update failed."""
    available_version: str | None = None
    rollout_number: int = 0
    """The newest rollout that reached it; an older one that comes late leaves it alone."""
    uninstalled_at: datetime | None = None
    """Since when it is gone for its users; its runs can still be read."""
    installed_at: datetime
    last_executed_at: datetime | None = None
    trigger_errors: list[TriggerError] = []
    """At most one of each workflow."""

    @property
    def lacks_credits(self) -> bool:
        """Whether it is off because its organization has no credits left."""
        return self.inactive_reason is InactiveReason.CREDITS_EXHAUSTED

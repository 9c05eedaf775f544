"""One deployment at a time: of a project's versions, and of what an installation runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from shared.errors import Conflict
from shared.model.deployment import DeploymentInstance
from shared.model.lockable import Lockable
from shared.store import refs
from shared.store.store import Found, Patch, Write

LOCKED_FOR = timedelta(minutes=10)
"""After this long a project or an installation may be taken, whatever became of its holder."""

L = TypeVar("L", bound=Lockable)

FREE: dict[str, object] = {"deploying": None, "deploying_until": None}
"""The fields of what nobody holds."""


def is_locked(lockable: Lockable, now: datetime, besides: str | None = None) -> bool:
    """Return whether a deployment other than ``besides`` holds it."""
    if lockable.deploying is None or lockable.deploying == besides or lockable.deploying_until is None:
        return False
    return now < lockable.deploying_until


def held(deployment_id: str, now: datetime) -> dict[str, object]:
    """Return the fields of what a deployment holds."""
    return {"deploying": deployment_id, "deploying_until": now + LOCKED_FOR}


def locking(found: Found[L], deployment_id: str, now: datetime, **others: object) -> Write:
    """Return what takes it, and changes ``others`` of its fields; fails if it changed meanwhile."""
    return Patch(found.ref, {**held(deployment_id, now), **others}, found.update_time)


def unlocking(
    deployment: DeploymentInstance,
    instance: Mapping[str, object] | None = None,
    project: Mapping[str, object] | None = None,
) -> list[Write]:
    """Return what lets go all that a deployment holds, and changes other fields of both documents."""
    freed = dict(project or {}) | (FREE if deployment.purpose.holds_project else {})
    writes = [letting_go(deployment.process_instance_id, instance)]
    return [*writes, Patch(refs.project(deployment.project_id), freed)] if freed else writes


def letting_go(process_instance_id: str, changes: Mapping[str, object] | None = None) -> Write:
    """Return what lets go the installation alone, and changes other fields of it."""
    return Patch(refs.instance(process_instance_id), {**FREE, **(changes or {})})


def in_progress(what: str) -> Conflict:
    """Return the refusal of whoever comes second."""
    message = f"A deployment of this {what} is in progress. Wait until it has ended."
    return Conflict(message, code="DEPLOYMENT_IN_PROGRESS")

"""One deployment of a project at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.model.project import Project
from shared.store import refs
from shared.store.store import Found, Patch, Write

LOCKED_FOR = timedelta(minutes=10)
"""After this long a project may be taken, whatever became of its holder."""


def is_locked(project: Project, now: datetime, besides: str | None = None) -> bool:
    """Return whether a deployment other than ``besides`` holds the project."""
    if project.deploying is None or project.deploying == besides or project.deploying_until is None:
        return False
    return now < project.deploying_until


def locking(project: Found[Project], deployment_id: str, now: datetime, **others: object) -> Write:
    """Return what takes the project, and changes ``others`` of its fields; fails if it changed meanwhile."""
    fields = {"deploying": deployment_id, "deploying_until": now + LOCKED_FOR, **others}
    return Patch(project.ref, fields, project.update_time)


def unlocking(project_id: str, **others: object) -> Write:
    """Return what lets the project go, and changes ``others`` of its fields."""
    return Patch(refs.project(project_id), {"deploying": None, "deploying_until": None, **others})

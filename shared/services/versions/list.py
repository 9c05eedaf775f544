"""List a project's versions, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.instance import Environment
from shared.model.project import Process, Project
from shared.model.template import Template
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, owned_by
from shared.store.store import Found

MOST = 100
"""Versions of a page."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version, and the owner's installations that run it."""

    template_id: str
    template: Template
    runs_in: list[Environment]


@dataclass(frozen=True, slots=True)
class Page:
    """Some versions, newest first. ``following`` is where the next page starts, unless this is the last."""

    versions: list[Listed]
    following: str | None


async def list_versions(
    platform: Platform, key: ApiKey, project_id: str, *, after: str | None, limit: int
) -> Page:
    """Return a page of a project's versions; ``after`` is the ``following`` of the page before.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``), Forbidden.
        InvalidRequest: ``after`` is none that was ever answered.
    """
    project = (await accessible_project(platform, key, project_id)).value
    size = min(limit, MOST)
    query = owned_by("templates", Template, "project_id", project_id).newest_first("created_at")
    if after is not None:
        query = query.after(_moment(after))
    found = await find(platform.store, query.at_most(size + 1))
    running = await _running(platform, project)
    versions = [_listed(one, running) for one in found[:size]]
    following = versions[-1].template.created_at.isoformat() if len(found) > size else None
    return Page(versions, following)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest("after must be the next of an earlier page.", field="after")
    return moment


async def _running(platform: Platform, project: Project) -> dict[Environment, str]:
    """Return the version that each of the owner's installations runs."""
    found = await platform.store.get(refs.process(project.process_id)) if project.process_id else None
    if found is None:
        return {}
    process: Process = found.value
    ids = {Environment.DEV: process.dev_instance_id, Environment.PROD: process.prod_instance_id}
    known = {environment: refs.instance(one) for environment, one in ids.items() if one}
    instances = await platform.store.fetch(*known.values())
    return {
        environment: instance.value.current_version
        for environment, instance in zip(known, instances, strict=True)
        if instance is not None and instance.value.live_deployment_instance_id is not None
    }


def _listed(found: Found[Template], running: dict[Environment, str]) -> Listed:
    runs_in = [environment for environment, version in running.items() if version == found.value.version]
    return Listed(found.ref.path.rpartition("/")[2], found.value, runs_in)

"""How far rollouts are. What is told of other organizations are numbers and error codes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from shared.model.apikey import ApiKey
from shared.model.rollout import Rollout, Target, TargetStatus
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.services.rollouts.access import accessible_rollout
from shared.services.rollouts.close import counts_of
from shared.store import refs
from shared.store.query import below, find, owned_by
from shared.store.store import Found

MOST = 100
"""Rows of a page."""

REASONS_OF = 500
"""Failed targets that are looked at for reasons."""

SHOWN_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """A rollout with its targets by status, its failures by error code, and the first that failed."""

    rollout: Rollout
    counts: Mapping[TargetStatus, int]
    reasons: Mapping[str, int]
    failures: list[Target]

    @property
    def total(self) -> int:
        """Targets found so far."""
        return sum(self.counts.values())


async def progress_of(platform: Platform, key: ApiKey, rollout_id: str) -> Progress:
    """Return how far a rollout is; what is counted is counted now, unless it is completed.

    Raises:
        NotFound (``ROLLOUT_NOT_FOUND``), Forbidden: no access to the project.
    """
    found = await accessible_rollout(platform, key, rollout_id)
    query = below(refs.rollout(rollout_id), "targets", Target)
    failed = query.where("status", "==", TargetStatus.FAILED.value).at_most(REASONS_OF)
    stored = found.value.counts
    if stored is not None:
        counts = {status: stored.get(status.value, 0) for status in TargetStatus}
        failures = await find(platform.store, failed) if counts[TargetStatus.FAILED] else []
    else:
        counts, failures = await asyncio.gather(counts_of(platform, rollout_id), find(platform.store, failed))
    targets = sorted(
        (one.value for one in failures), key=lambda one: (str(one.ended_at), one.process_instance_id)
    )
    reasons = Counter(target.error_code or "UNKNOWN" for target in targets)
    return Progress(found.value, counts, dict(reasons.most_common()), targets[:SHOWN_FAILURES])


async def rollouts_of(
    platform: Platform, key: ApiKey, project_id: str, limit: int, before: int | None
) -> list[Found[Rollout]]:
    """Return the rollouts of a project, the newest first; ``before`` is the number the page continues at.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``), Forbidden.
    """
    await accessible_project(platform, key, project_id)
    query = owned_by("rollouts", Rollout, "project_id", project_id).newest_first("number")
    return await find(platform.store, (query if before is None else query.after(before)).at_most(limit))


async def targets_of(
    platform: Platform,
    key: ApiKey,
    rollout_id: str,
    *,
    status: TargetStatus | None,
    after: str | None,
    limit: int,
) -> tuple[Rollout, list[Target]]:
    """Return a rollout and a page of its targets, those of one status if asked for.

    Raises:
        NotFound (``ROLLOUT_NOT_FOUND``), Forbidden.
    """
    found = await accessible_rollout(platform, key, rollout_id)
    query = below(refs.rollout(rollout_id), "targets", Target).oldest_first("process_instance_id")
    if status is not None:
        query = query.where("status", "==", status.value)
    if after is not None:
        query = query.after(after)
    targets = await find(platform.store, query.at_most(limit))
    return found.value, [target.value for target in targets]

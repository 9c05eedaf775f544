"""What a rollout left behind, by the documents and by n8n: whether the two agree, and on one version each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bench.rollout.fleet import NAMES, Fleet
from bench.rollout.site import Site
from shared.model.deployment import DeploymentInstance
from shared.model.instance import InactiveReason, ProcessInstance
from shared.model.rollout import Target, TargetStatus
from shared.store import refs
from shared.store.query import below, find

_A_CALL = 300

Row = Mapping[str, Any]
"""A workflow as the stand-in tells of it."""


@dataclass(slots=True)
class Verdict:
    """How installations ended, and whatever is not as it must be, in words."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """error code → failed installations"""
    off: list[str] = field(default_factory=list)
    """Installations that take no runs, since n8n did not take back what ran; their failure says so."""
    mixed: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    """Workflows in n8n that no document names."""
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.mixed or self.duplicates or self.strays or self.wrong)

    def __str__(self) -> str:
        found = {name: getattr(self, name) for name in ("mixed", "duplicates", "strays", "wrong")}
        bad = "; ".join(f"{len(texts)} {name}: {texts[:5]}" for name, texts in found.items() if texts)
        ended = f"{dict(self.statuses)}, failed for {dict(self.reasons)}, {len(self.off)} switched off"
        return f"{ended}; {bad or 'nothing wrong'}"


async def targets_of(site: Site, rollout_id: str) -> dict[str, Target]:
    """Return a rollout's targets by installation."""
    found: dict[str, Target] = {}
    last: str | None = None
    while True:
        query = below(refs.rollout(rollout_id), "targets", Target).oldest_first("process_instance_id")
        page = await find(site.platform.store, (query.after(last) if last else query).at_most(1000))
        if not page:
            return found
        found.update((one.value.process_instance_id, one.value) for one in page)
        last = page[-1].value.process_instance_id


async def unsettled(site: Site, ids: Sequence[str]) -> list[str]:
    """Return the installations that something is still at work on, or will be."""
    instances = await _instances(site, ids)
    return [i for i, one in instances.items() if one.deploying or one.unsettled_deployment_instance_id]


async def verdict(site: Site, fleet: Fleet, rollout_id: str, marks: tuple[str, str]) -> Verdict:
    """Return how every installation ended; ``marks`` are those of the version before and of the new one."""
    result = Verdict()
    targets = await targets_of(site, rollout_id)
    instances = await _instances(site, fleet.instance_ids)
    deployments = await _live(site, instances)
    rows: list[Row] = cast("list[Row]", await site.stand_in("workflows"))
    by_id = {str(row["id"]): row for row in rows}
    names = Counter(str(row["name"]) for row in rows)
    result.duplicates = [name for name, times in names.items() if times > 1]
    known: set[str] = set()
    for instance_id, instance in instances.items():
        deployment = deployments[instance_id]
        found = [by_id.get(row.n8n_workflow_id or "") for row in deployment.workflows]
        known |= {row.n8n_workflow_id or "" for row in deployment.workflows}
        target = targets.get(instance_id)
        if target is None:
            result.wrong.append(f"{instance_id} was never looked at")
            continue
        is_off = _is_off(instance, target)
        if is_off:
            result.off.append(instance_id)
        else:
            result.mixed += [f"{instance_id}: {text}" for text in _ensemble(deployment, found)]
        result.statuses[target.status.value] += 1
        if target.status is TargetStatus.FAILED:
            result.reasons[target.error_code or "none"] += 1
        if is_off:
            continue
        live = {str(row["mark"]) for row in found if row}
        result.wrong += [f"{instance_id}: {text}" for text in _wrong(instance, target, live, marks)]
    of_fleet = [row for row in rows if not _is_publishers(row, fleet)]
    result.strays = [str(row["name"]) for row in of_fleet if row["id"] not in known]
    return result


def _ensemble(deployment: DeploymentInstance, found: Sequence[Row | None]) -> list[str]:
    """Return what n8n has otherwise than the documents of what is live say."""
    texts: list[str] = []
    if len(found) != len(NAMES) or None in found:
        return ["workflows are missing in n8n"]
    if len({row["mark"] for row in found if row}) != 1:
        texts.append(f"runs {[row['mark'] for row in found if row]}")
    for recorded, row in zip(deployment.workflows, found, strict=True):
        versions = {recorded.n8n_version_id, row["activeVersionId"], row["liveVersionId"]} if row else set()
        if len(versions) != 1:
            texts.append(f"{recorded.workflow_id} is another version than recorded")
    return texts


def _wrong(instance: ProcessInstance, target: Target, live: set[str], marks: tuple[str, str]) -> list[str]:
    texts: list[str] = []
    if not target.status.is_terminal:
        texts.append(f"ended as {target.status}")
    expected = marks[1] if target.status is TargetStatus.DEPLOYED else marks[0]
    if live != {expected}:
        texts.append(f"{target.status}, but runs {live}")
    if target.status is TargetStatus.FAILED and not (target.error and target.error_code):
        texts.append("failed without a reason")
    if instance.deploying or instance.unsettled_deployment_instance_id or not instance.is_active:
        texts.append("is held, unsettled or inactive")
    return texts


def _is_off(instance: ProcessInstance, target: Target) -> bool:
    """Return whether an installation was switched off by the failure of its update, which says so."""
    return (
        target.status is TargetStatus.FAILED
        and (instance.is_active, instance.inactive_reason) == (False, InactiveReason.DEPLOY_FAILED)
        and "switched off" in (target.error or "")
    )


def _is_publishers(row: Row, fleet: Fleet) -> bool:
    return "(dev)" in str(row["name"]) or fleet.production_id in str(row["name"])


async def _instances(site: Site, ids: Sequence[str]) -> dict[str, ProcessInstance]:
    found: dict[str, ProcessInstance] = {}
    for start in range(0, len(ids), _A_CALL):
        part = ids[start : start + _A_CALL]
        answers = await site.platform.store.fetch(*map(refs.instance, part))
        found.update((i, one.value) for i, one in zip(part, answers, strict=True))
    return found


async def _live(site: Site, instances: Mapping[str, ProcessInstance]) -> dict[str, DeploymentInstance]:
    found: dict[str, DeploymentInstance] = {}
    ids = list(instances)
    for start in range(0, len(ids), _A_CALL):
        part = ids[start : start + _A_CALL]
        wanted = [refs.deployment(instances[i].live_deployment_instance_id or "") for i in part]
        answers = await site.platform.store.fetch(*wanted)
        found.update((i, one.value) for i, one in zip(part, answers, strict=True))
    return found

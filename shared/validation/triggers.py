"""Rules of triggers (types §14.2, §14.3)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import datetime

from cronsim import CronSim, CronSimError

from shared.model.configuration import (
    DataIngestionTrigger,
    HttpTrigger,
    ScheduleTrigger,
    SubworkflowTrigger,
    Trigger,
)
from shared.model.tokens import BASE_URL
from shared.validation.problems import Problem, problem
from shared.validation.schemas import Path, check_form

_WEBHOOK = "n8n-nodes-base.webhook"
_BEFORE_PATH = f"{BASE_URL}/webhook/"
_ANY_DAY = datetime(2000, 1, 1)


def check_trigger(trigger: Trigger, webhook_paths: set[str], path: Path) -> Iterator[Problem]:
    """Yield what is wrong with a trigger of a workflow that has these webhook paths."""
    match trigger:
        case HttpTrigger():
            yield from _check_url(trigger.url, webhook_paths, (*path, "url"))
            yield from check_form(trigger.input_schema or [], (*path, "inputSchema"))
        case ScheduleTrigger():
            yield from _check_schedule(trigger, path)
            yield from _check_url(trigger.manual_trigger_url, webhook_paths, (*path, "manualTriggerUrl"))
        case SubworkflowTrigger():
            yield from _check_inputs(trigger, path)
        case DataIngestionTrigger():
            for name in ("embed", "delete"):
                if not getattr(trigger.webhooks, name).strip():
                    yield problem((*path, "webhooks", name), "must not be empty")


def webhook_paths(document: Mapping[str, object]) -> set[str]:
    """Return the paths of a workflow's webhook nodes, placeholders and all, without a leading ``=``."""
    nodes = document.get("nodes")
    found: set[str] = set()
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, Mapping) and node.get("type") == _WEBHOOK:
            stated = node.get("parameters")
            path = stated.get("path") if isinstance(stated, Mapping) else None
            if isinstance(path, str):
                found.add(path.removeprefix("=").strip("/"))
    return found


def _check_url(url: str, paths: set[str], path: Path) -> Iterator[Problem]:
    if not url.startswith(_BEFORE_PATH):
        yield problem(path, f"must start with {_BEFORE_PATH}")
    elif url.removeprefix(_BEFORE_PATH).strip("/") not in paths:
        known = ", ".join(sorted(paths)) or "it has none"
        yield problem(path, f"must end with the path of a webhook node of the workflow ({known})")


def _check_schedule(trigger: ScheduleTrigger, path: Path) -> Iterator[Problem]:
    reason = _cron_problem(trigger.cron_expression)
    if reason:
        yield problem((*path, "cronExpression"), reason)
    if not _is_timezone(trigger.timezone):
        yield problem((*path, "timezone"), "is not an IANA time zone")
    if not trigger.human_readable.strip():
        yield problem((*path, "humanReadable"), "must not be empty")


def _cron_problem(expression: str) -> str | None:
    if len(expression.split()) != 5:
        return "must have five fields"
    try:
        CronSim(expression, _ANY_DAY)
    except CronSimError as error:
        return f"is not a valid cron expression ({error})"
    return None


def _is_timezone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _check_inputs(trigger: SubworkflowTrigger, path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, item in enumerate(trigger.input_schema):
        if item.key in seen:
            yield problem((*path, "inputSchema", index, "key"), "is used twice")
        seen.add(item.key)

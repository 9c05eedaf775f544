"""Look at everything that runs, a page at a time, and say where n8n is otherwise than deployed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson

from shared.errors import PlatformError
from shared.model.instance import ProcessInstance
from shared.services.drift.check import Report, look
from shared.services.drift.repair import repair_for
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found
from shared.store.sweep import sweep

_PAGE = 100
_AT_ONCE = 4
"""Installations looked at at the same time; n8n has other work too."""

_OPERATOR = "operator"
"""The actor in the audit log of what an operator repairs."""


async def survey(platform: Platform, *, repairs: bool) -> str:
    """Print a JSON line for each installation that drifted or cannot be looked at; return the totals.

    With ``repairs`` those that drifted are repaired.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    totals = dict.fromkeys(("checked", "drifted", "repaired", "unreadable"), 0)

    async def one(instance_id: str) -> None:
        async with turns:
            line = await _line(platform, instance_id, repairs=repairs)
        totals["checked"] += 1
        for name in ("drifted", "repaired"):
            totals[name] += bool(line.get(name))
        totals["unreadable"] += "error" in line and not line.get("drifted")
        if line.get("drifted") or "error" in line:
            print(orjson.dumps(line).decode(), flush=True)

    async for page in _pages(platform):
        await asyncio.gather(*(one(instance_id) for instance_id in page))
    return ", ".join(f"{count} {name}" for name, count in totals.items())


async def _pages(platform: Platform) -> AsyncIterator[list[str]]:
    """Yield the ids of installations that something of may run."""
    fields = [field.alias or name for name, field in ProcessInstance.model_fields.items()]
    after: str | None = None
    while True:
        found = await sweep(
            platform.store,
            "processInstances",
            ProcessInstance,
            everywhere=False,
            after=after,
            page=_PAGE,
            fields=fields,
        )
        yield [_id(one) for one in found if one.value.live_deployment_instance_id and not one.value.archived]
        if len(found) < _PAGE:
            return
        after = found[-1].ref.path


async def _line(platform: Platform, instance_id: str, *, repairs: bool) -> dict[str, object]:
    async def reported() -> Report:
        found = await platform.store.get(refs.instance(instance_id))
        assert found is not None
        return await look(platform, found, instance_id, is_admin=True)

    line: dict[str, object] = {"processInstanceId": instance_id}
    try:
        report = await reported()
        if not report.drifted:
            return line
        findings = {w.workflow_id: [f.code for f in w.findings] for w in report.workflows if w.findings}
        line |= {"drifted": True, "findings": findings, "orphans": report.orphans}
        if repairs:
            done = await repair_for(platform, _OPERATOR, instance_id, reported)
            line["repaired"] = done.carried is not None and done.carried.status == "deployed"
            if done.carried is not None and done.carried.error:
                line["error"] = done.carried.error
    except PlatformError as error:
        line["error"] = error.message
    return line


def _id(found: Found[ProcessInstance]) -> str:
    return found.ref.path.rpartition("/")[2]

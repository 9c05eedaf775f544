"""Calls about versions, and about a process that another organization installs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from bench.api import Json, call
from bench.endpoints.desk import Asked, Desk
from bench.use_case import configuration

Prepare = Callable[[Desk], Awaitable[Asked]]

_OF_ROLLOUTS = (
    "cancelRolloutPublic",
    "getRolloutPublic",
    "listRolloutTargetsPublic",
    "listRolloutsPublic",
    "pinProcessInstancePublic",
    "resumeRolloutPublic",
    "rollbackProcessInstancePublic",
    "rollbackProcessPublic",
    "updateProcessInstancePublic",
)

UNMEASURED: Mapping[str, str] = dict.fromkeys(
    _OF_ROLLOUTS, "it belongs to a rollout, which has a benchmark of its own"
)


def _project(desk: Desk) -> dict[str, str]:
    return {"projectId": desk.project_id}


def _instance(desk: Desk) -> dict[str, str]:
    return {"processInstanceId": desk.instance_id}


def _other(desk: Desk) -> str:
    return desk.session.stack.key(1, "ownerKey")


async def _listed(desk: Desk) -> list[Json]:
    answer = await call(
        desk.session, "GET", f"/listVersionsPublic?projectId={desk.project_id}", desk.session.stack.owner_key
    )
    return cast("list[Json]", cast("Json", answer["data"])["versions"])


async def _compare(desk: Desk) -> Asked:
    while len(await _listed(desk)) < 2:
        changed = {**configuration(), "subtitle": desk.name()}
        await desk.post("deployProcessUseCase", None, **_project(desk), configuration=changed)
    newest, before, *_ = await _listed(desk)
    return Asked(query={**_project(desk), "from": str(before["version"]), "to": str(newest["version"])})


async def _public(desk: Desk) -> None:
    """Publish the project for everybody, once."""
    versions = await _listed(desk)
    if all(version["status"] == "inactive" for version in versions):
        await desk.post(
            "publishProcessDeploymentPublic",
            None,
            **_project(desk),
            processDeploymentId=versions[0]["templateId"],
        )
    await desk.post("setProcessVisibilityPublic", None, **_project(desk), visibility="public")


async def _detail(desk: Desk) -> Asked:
    await _public(desk)
    return Asked(params=(desk.installed.process_id,), key=_other(desk))


async def _list(desk: Desk) -> Asked:
    await _public(desk)
    return Asked(query={"q": "Bench"}, key=_other(desk))


async def _installations(desk: Desk) -> list[str]:
    answer = await call(desk.session, "GET", "/listProcessInstancesPublic", _other(desk))
    rows = cast("list[Json]", cast("Json", answer["data"])["instances"])
    return [str(row["processInstanceId"]) for row in rows if row["processId"] == desk.installed.process_id]


async def uninstalled(desk: Desk) -> None:
    """Take away what the other organization installed."""
    for instance_id in await _installations(desk):
        await desk.post("uninstallProcessInstancePublic", _other(desk), processInstanceId=instance_id)


async def _install(desk: Desk) -> Asked:
    await _public(desk)
    await uninstalled(desk)
    return Asked({"processId": desk.installed.process_id}, key=_other(desk))


async def _uninstall(desk: Desk) -> Asked:
    await _public(desk)
    await uninstalled(desk)
    made = await desk.post("installProcessPublic", _other(desk), processId=desk.installed.process_id)
    return Asked({"processInstanceId": made["processInstanceId"]}, key=_other(desk))


async def _visibility(desk: Desk) -> Asked:
    await _public(desk)
    return Asked({**_project(desk), "visibility": "public"})


def _fixed(asked: Callable[[Desk], Asked]) -> Prepare:
    async def prepare(desk: Desk) -> Asked:
        return asked(desk)

    return prepare


CALLS: Mapping[str, Prepare] = {
    "checkInstanceDriftPublic": _fixed(lambda desk: Asked(query=_instance(desk))),
    "compareVersionsPublic": _compare,
    "downloadVersionPublic": _fixed(lambda desk: Asked(query={**_project(desk), "version": "1.0"})),
    "getMarketplaceProcessPublic": _detail,
    "installProcessPublic": _install,
    "listMarketplacePublic": _list,
    "listVersionsPublic": _fixed(lambda desk: Asked(query=_project(desk))),
    "repairInstanceDriftPublic": _fixed(lambda desk: Asked(_instance(desk))),
    "setProcessVisibilityPublic": _visibility,
    "shareProcessInstancePublic": _fixed(lambda desk: Asked({**_instance(desk), "sharedWith": "owner_only"})),
    "uninstallProcessInstancePublic": _uninstall,
}

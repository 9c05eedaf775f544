"""List the runs of an installation (api §5.24)."""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.execution import ExecutionStatus, ListedRun
from shared.model.instance import ProcessInstance
from shared.services.access import accessible_instance
from shared.services.platform import Platform
from shared.store.executions import Executions
from shared.store.store import Found

MAX_LIMIT = 100
"""More than that is as much as that (decision 7)."""


async def list_runs(
    platform: Platform,
    key: ApiKey,
    process_instance_id: str,
    found: Found[ProcessInstance] | None,
    *,
    workflow_id: str | None,
    status: str | None,
    limit: int,
) -> list[ListedRun]:
    """Return the newest runs, of one workflow or in one state if so asked. An unknown workflow has none.

    Raises:
        NotFound, Forbidden: as for any use of the installation.
        InvalidRequest: there is no such state.
    """
    await accessible_instance(platform, key, process_instance_id, found)
    runs = Executions(platform.store, process_instance_id)
    return await runs.newest(workflow_id or None, _status(status), min(limit, MAX_LIMIT))


def _status(named: str | None) -> ExecutionStatus | None:
    if not named:
        return None
    if named not in list(ExecutionStatus):
        known = ", ".join(status.value for status in ExecutionStatus)
        raise InvalidRequest(f"There is no status {named}. Use one of: {known}.", field="status")
    return ExecutionStatus(named)

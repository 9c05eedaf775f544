"""Reading runs, and finding the run of one of our executions."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from shared.n8n.executions import N8nExecution, N8nStatus
from shared.n8n.paging import LARGEST_PAGE, pages
from shared.n8n.rest import Rest, parse

# Run data can be megabytes a piece.
_PAGE_WITH_DATA = 20
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)

# A run moves down this list while we read it; running comes again for one that was waiting at first.
# None is n8n's list of everything that neither runs nor is held back.
_WHERE_A_RUN_MAY_BE = (N8nStatus.NEW, N8nStatus.RUNNING, None, N8nStatus.RUNNING)


class ExecutionCalls:
    """The execution part of :class:`~shared.n8n.client.N8nClient`."""

    _rest: Rest

    async def get_execution(self, n8n_execution_id: str, include_data: bool = True) -> N8nExecution:
        """Return a run in any state; :class:`N8nRefused` with ``n8n_status`` 404 when n8n has none."""
        path = f"/executions/{quote(n8n_execution_id, safe='')}"
        params = {"includeData": include_data, "ignoreDataSizeLimit": True}
        answer = await self._rest.call("read the execution", "GET", path, params=params)
        return parse(N8nExecution, answer, self._rest.base_url)

    async def stop_execution(self, n8n_execution_id: str) -> None:
        """Stop a run that is held back, runs or waits; :class:`N8nRefused` when it is over or unknown."""
        path = f"/executions/{quote(n8n_execution_id, safe='')}/stop"
        await self._rest.call("stop the execution", "POST", path)

    async def list_executions(
        self,
        workflow_id: str | None = None,
        status: N8nStatus | None = None,
        include_data: bool = False,
        limit: int = 100,
    ) -> list[N8nExecution]:
        """Return runs, newest first. Without ``status``: finished and waiting ones, not running ones.

        Without data ``workflow_version_id`` and ``custom_data`` are missing too.
        """
        found: list[N8nExecution] = []
        params = _query(workflow_id, status, include_data, min(limit, LARGEST_PAGE))
        async for page in pages(self._rest, "list executions", "/executions", params):
            found += [parse(N8nExecution, row, self._rest.base_url) for row in page]
            if len(found) >= limit:
                break
        return found[:limit]

    async def find_execution_of(self, workflow_id: str, marker: str, since: datetime) -> N8nExecution | None:
        """Return the newest n8n run of our execution ``marker`` started after ``since``, or ``None``.

        Looks at runs held back, running, waiting and ended, with their data, so it costs one request for
        every twenty runs since then. ``None`` is reliable while the workflow saves its executions; five
        minutes of difference between the clocks are allowed for.
        """
        for status in _WHERE_A_RUN_MAY_BE:
            found = await self._find(workflow_id, status, marker, since - _CLOCKS_MAY_DIFFER)
            if found is not None:
                return found
        return None

    async def _find(
        self, workflow_id: str, status: N8nStatus | None, marker: str, since: datetime
    ) -> N8nExecution | None:
        params = _query(workflow_id, status, True, _PAGE_WITH_DATA)
        async for page in pages(self._rest, "list executions", "/executions", params):
            executions = [parse(N8nExecution, row, self._rest.base_url) for row in page]
            for execution in executions:
                if execution.belongs_to(marker):
                    return execution
            started = [execution.started_at for execution in executions if execution.started_at]
            if started and min(started) < since:
                return None
        return None


def _query(
    workflow_id: str | None, status: N8nStatus | None, include_data: bool, limit: int
) -> dict[str, str | int | bool]:
    query: dict[str, str | int | bool] = {"includeData": include_data, "limit": limit}
    if include_data:
        query["ignoreDataSizeLimit"] = True
    if workflow_id is not None:
        query["workflowId"] = workflow_id
    if status is not None:
        query["status"] = status.value
    return query

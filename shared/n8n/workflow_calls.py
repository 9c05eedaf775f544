"""Creating, publishing, finding and deleting workflows."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

from shared.n8n.errors import N8nRefused
from shared.n8n.paging import LARGEST_PAGE, pages
from shared.n8n.rest import Parameters, Rest, parse
from shared.n8n.workflows import WorkflowBody, WorkflowState, WorkflowVersion

_UNPUBLISHING_SECONDS = 20.0
_PAUSE_SECONDS = 0.1


class WorkflowCalls:
    """The workflow part of :class:`~shared.n8n.client.N8nClient`."""

    _rest: Rest

    async def create_workflow(self, workflow: WorkflowBody) -> WorkflowState:
        """Create a workflow as a draft. Not idempotent: find it by name after :class:`N8nUnreachable`."""
        return await self._workflow("create the workflow", "POST", "/workflows", workflow)

    async def save_draft(self, n8n_workflow_id: str, workflow: WorkflowBody) -> WorkflowState:
        """Replace the draft and leave the live version running.

        Unchanged nodes and connections keep ``version_id``. The name and the settings are not versioned by
        n8n: they take effect at once, for the live version too. Settings that are not named stay as they are:
        :func:`~shared.n8n.workflows.instead_of` names those that must go.
        """
        path, keep_live = _path(n8n_workflow_id), {"publishIfActive": False}
        return await self._workflow("save the workflow", "PUT", path, workflow, keep_live)

    async def publish(self, n8n_workflow_id: str, version_id: str | None = None) -> WorkflowState:
        """Ask for a version to be live, the draft or an earlier one. It is not live yet on return.

        :class:`N8nRefused` (400, 409) leaves the old version live.
        """
        body = {} if version_id is None else {"versionId": version_id}
        path = f"{_path(n8n_workflow_id)}/publish"
        return await self._state("publish the workflow", "POST", path, body)

    async def unpublish(self, n8n_workflow_id: str) -> WorkflowState:
        """Take the workflow off; what is not published stays so."""
        return await self._state("unpublish the workflow", "POST", f"{_path(n8n_workflow_id)}/unpublish", {})

    async def delete_workflow(self, n8n_workflow_id: str) -> None:
        """Delete an unpublished workflow and its executions; one that is gone already is fine.

        Waits while n8n is still unpublishing it. A published one is refused (409).
        """
        ends = time.monotonic() + _UNPUBLISHING_SECONDS
        while True:
            try:
                await self._rest.call("delete the workflow", "DELETE", _path(n8n_workflow_id))
            except N8nRefused as error:
                if error.n8n_status == 404:
                    return
                if "still being unpublished" not in error.n8n_message or time.monotonic() >= ends:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def get_workflow(self, n8n_workflow_id: str) -> WorkflowState:
        """Return a workflow; :class:`N8nRefused` with ``n8n_status`` 404 when there is none."""
        path, small = _path(n8n_workflow_id), {"excludePinnedData": True}
        return await self._state("read the workflow", "GET", path, None, small)

    async def get_version(self, n8n_workflow_id: str, version_id: str) -> WorkflowVersion:
        """Return a version of a workflow, live or not; 404 when n8n keeps none of that id."""
        path = f"{_path(n8n_workflow_id)}/versions/{quote(version_id, safe='')}"
        answer = await self._rest.call("read the version", "GET", path)
        return parse(WorkflowVersion, answer, self._rest.base_url)

    async def find_workflows_by_name(self, name: str) -> list[WorkflowState]:
        """Return the workflows with exactly this name, archived ones left out; newest first.

        n8n filters by substring, with wildcards; what it returns too much is sorted out here.
        """
        found = [state for state in await self.find_workflows_naming(name) if state.name == name]
        return sorted(found, key=lambda state: state.created_at, reverse=True)

    async def find_workflows_naming(self, text: str) -> list[WorkflowState]:
        """Return the workflows in whose name a text occurs, archived ones left out."""
        found: list[WorkflowState] = []
        params: Parameters = {"name": text, "limit": LARGEST_PAGE, "excludePinnedData": True}
        async for page in pages(self._rest, "list workflows", "/workflows", params):
            states = [parse(WorkflowState, row, self._rest.base_url) for row in page]
            found += [state for state in states if text in state.name and not state.is_archived]
        return found

    async def _workflow(
        self, action: str, method: str, path: str, workflow: WorkflowBody, params: Parameters | None = None
    ) -> WorkflowState:
        return await self._state(f"{action} '{workflow.name}'", method, path, workflow.fields(), params)

    async def _state(
        self, action: str, method: str, path: str, body: object, params: Parameters | None = None
    ) -> WorkflowState:
        answer = await self._rest.call(action, method, path, body=body, params=params)
        return parse(WorkflowState, answer, self._rest.base_url)


def _path(n8n_workflow_id: str) -> str:
    return f"/workflows/{quote(n8n_workflow_id, safe='')}"

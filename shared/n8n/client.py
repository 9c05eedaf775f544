"""The REST client of one n8n (platform §11.4)."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import httpx

from shared.n8n.address import normalize
from shared.n8n.apikey import N8nApiKey
from shared.n8n.connections import open_pool
from shared.n8n.credential_calls import CredentialCalls
from shared.n8n.execution_calls import ExecutionCalls
from shared.n8n.liveness import WebhookAddress, wait_until_gone, wait_until_live
from shared.n8n.rest import Rest
from shared.n8n.workflow_calls import WorkflowCalls


class N8nClient(WorkflowCalls, CredentialCalls, ExecutionCalls):
    """Workflows, credentials and executions of one n8n under one API key.

    Every method raises :class:`~shared.n8n.errors.N8nUnreachable` when no usable answer came (a write may
    then have happened or not) and :class:`~shared.n8n.errors.N8nRefused` when n8n answered with an error.
    """

    def __init__(
        self, base_url: str, api_key: str | N8nApiKey, *, http: httpx.AsyncClient | None = None
    ) -> None:
        """Prepare a client; nothing is contacted. Connections that are not given are closed with it.

        Raises:
            InvalidRequest: the URL is no http or https URL.
        """
        self.base_url = normalize(base_url)
        key = api_key if isinstance(api_key, N8nApiKey) else N8nApiKey(api_key)
        self._owns_http = http is None
        self._http = http if http is not None else open_pool(self.base_url)
        self._rest = Rest(self.base_url, key, self._http)

    async def check(self) -> None:
        """Return when n8n is reached and accepts the key."""
        await self._rest.call("list workflows", "GET", "/workflows", params={"limit": 1})

    def webhook_url(self, path: str) -> str:
        """Return the production URL of a webhook path."""
        return f"{self.base_url}/webhook/{path}"

    async def wait_until_live(
        self, webhooks: Iterable[WebhookAddress], *, deadline_seconds: float = 30.0
    ) -> None:
        """Return when n8n has registered every webhook; see :mod:`shared.n8n.liveness` for what it proves.

        Raises:
            N8nNotLive: some are missing after the deadline.
        """
        await wait_until_live(self._http, self.base_url, webhooks, deadline_seconds)

    async def wait_until_gone(
        self, webhooks: Iterable[WebhookAddress], *, deadline_seconds: float = 30.0
    ) -> None:
        """Return when n8n takes calls to none of the webhooks any more.

        Raises:
            N8nNotGone: some are still registered after the deadline.
        """
        await wait_until_gone(self._http, self.base_url, webhooks, deadline_seconds)

    async def close(self) -> None:
        """Close the connections, unless they were given."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

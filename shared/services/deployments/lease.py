"""One worker at a time on a deployment, noticed when it dies (design §5).

The lease lives in the document of the deployment, or of the data ingestion. Every write of its holder is
conditional on the version it wrote last, so a worker that lost the lease cannot write any more: its next
write fails. Before every step in n8n the holder asks for leave, and a lease that ran out, was lost or was
given up grants none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from shared.errors import UpstreamError
from shared.model.deployment import DeploymentInstance, Lease
from shared.model.ingestion import DataIngestion
from shared.services.platform import Platform
from shared.store.errors import Changed
from shared.store.refs import Ref
from shared.store.store import Patch, Write


class LeaseLost(Exception):
    """Another worker has taken the deployment over, or may; this one must stop without writing."""


class StillHeld(UpstreamError):
    """Another worker is at it; the task must be delivered again later."""

    status = 503
    default_code = "TRY_LATER"


Leased = Ref[DeploymentInstance] | Ref[DataIngestion]
"""What a worker may hold."""


class HeldLease:
    """The right to work on a deployment and to write to its document."""

    def __init__(self, platform: Platform, ref: Leased, lease: Lease, version: datetime) -> None:
        self._platform = platform
        self._ref = ref
        self._lease = lease
        self._version = version
        self._writing = asyncio.Lock()
        self._given_up = False

    @property
    def holder(self) -> str:
        """Which worker holds it."""
        return self._lease.holder

    def require(self) -> None:
        """Return when the holder may take another step in n8n.

        Raises:
            LeaseLost
        """
        if self._given_up or self._platform.sources.now() >= self._lease.expires_at:
            raise LeaseLost(self._ref.path)

    def give_up(self) -> None:
        """Let the holder stop before its next step."""
        self._given_up = True

    async def write(self, fields: dict[str, object], *others: Write) -> None:
        """Change the deployment, and other documents with it, in one commit.

        Raises:
            LeaseLost: nothing was written.
        """
        async with self._writing:
            patch: Write = Patch(self._ref, fields, self._version)
            try:
                self._version, *_ = await self._platform.store.commit(patch, *others)
            except Changed as error:
                self.give_up()
                raise LeaseLost(self._ref.path) from error

    async def renew(self, *others: Write) -> None:
        """Extend the lease, and change other documents in the same commit.

        Raises:
            LeaseLost: nothing was written.
        """
        renewed = new_lease(self._platform, self._lease.holder)
        await self.write({"lease": renewed}, *others)
        self._lease = renewed

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew the lease while the body runs."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            # Not in the middle of a write, whose version would remain unknown.
            async with self._writing:
                keeper.cancel()
            # What ended the keeper ends the worker too: the lease runs out and grants no further step.
            await asyncio.gather(keeper, return_exceptions=True)

    async def _keep(self) -> None:
        pause = self._platform.settings.deploy_lease.total_seconds() / 3
        while True:
            await asyncio.sleep(pause)
            await self.renew()


def new_lease(platform: Platform, holder: str) -> Lease:
    """Return a lease from now on."""
    return Lease(holder=holder, expires_at=platform.sources.now() + platform.settings.deploy_lease)

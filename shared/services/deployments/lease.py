"""One worker at a time on a deployment, noticed when it dies (design §5).

The lease lives in the deployment's document. Every write of its holder is conditional on the version
it wrote last, so a worker that lost the lease cannot write any more: its next write fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from shared.model.deployment import DeploymentInstance, Lease
from shared.services.platform import Platform
from shared.store.errors import Changed
from shared.store.refs import Ref
from shared.store.store import Patch, Write


class LeaseLost(Exception):
    """Another worker has taken the deployment over; this one must stop without writing."""


class HeldLease:
    """The right to work on a deployment and to write to its document."""

    def __init__(
        self, platform: Platform, ref: Ref[DeploymentInstance], holder: str, version: datetime
    ) -> None:
        self._platform = platform
        self._ref = ref
        self._holder = holder
        self._version = version
        self._writing = asyncio.Lock()

    async def write(self, fields: dict[str, object], *others: Write) -> None:
        """Change the deployment, and other documents with it, in one commit.

        Raises:
            LeaseLost: nothing was written.
        """
        async with self._writing:
            patch = Patch(self._ref, fields, self._version)
            try:
                self._version, *_ = await self._platform.store.commit(patch, *others)
            except Changed as error:
                raise LeaseLost(self._ref.path) from error

    async def renew(self) -> None:
        """Extend the lease.

        Raises:
            LeaseLost
        """
        await self.write({"lease": new_lease(self._platform, self._holder)})

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew the lease while the body runs."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _keep(self) -> None:
        pause = self._platform.settings.deploy_lease.total_seconds() / 3
        while True:
            await asyncio.sleep(pause)
            await self.renew()


def new_lease(platform: Platform, holder: str) -> Lease:
    """Return a lease from now on."""
    return Lease(holder=holder, expires_at=platform.sources.now() + platform.settings.deploy_lease)

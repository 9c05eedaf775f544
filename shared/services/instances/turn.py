"""One change at a time to what n8n runs of an installation: a deployment, or a switch.

A switch holds the installation as a deployment does, so neither starts while the other is at work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from shared.errors import Conflict
from shared.model.instance import ProcessInstance
from shared.services.deployments.lock import is_locked
from shared.services.platform import Platform
from shared.store.errors import Changed
from shared.store.refs import Ref
from shared.store.store import Patch, Write

_TRIES = 5
"""Somebody else may change the installation, say when it last ran, at the same moment."""


class Turn:
    """The right to change what n8n runs of an installation, until it ends."""

    def __init__(self, platform: Platform, ref: Ref[ProcessInstance]) -> None:
        self._platform = platform
        self._ref = ref
        self.token = f"switch-{platform.sources.uuid7()}"
        self._ends: datetime | None = None

    async def take(self) -> None:
        """Begin.

        Raises:
            Conflict (``DEPLOYMENT_IN_PROGRESS``): a deployment or another switch is at work.
        """
        await self._write(self._is_free, self._lasts_until(), {})

    def require(self) -> None:
        """Return when another step in n8n may be taken.

        Raises:
            Conflict (``DEPLOYMENT_IN_PROGRESS``): the turn is over; somebody else may be at work.
        """
        if self._ends is None or self._platform.sources.now() >= self._ends:
            raise in_progress()

    async def commit(self, changes: Mapping[str, object], *others: Write) -> None:
        """Change fields of the installation, and other documents, in one commit, and go on.

        Raises:
            Conflict (``DEPLOYMENT_IN_PROGRESS``): the turn was over before; nothing was written.
        """
        await self._write(self._is_mine, self._lasts_until(), changes, *others)

    async def end(self, changes: Mapping[str, object], *others: Write) -> None:
        """Change fields of the installation, and other documents, in one commit, and let others go ahead.

        Raises:
            Conflict (``DEPLOYMENT_IN_PROGRESS``): the turn was over before; nothing was written.
        """
        await self._write(self._is_mine, None, changes, *others)

    async def release(self) -> None:
        """End, unless that was done before. A turn that is not given back ends by itself."""
        if self._ends is not None:
            with suppress(Conflict):
                await self.end({})

    def _lasts_until(self) -> datetime:
        return self._platform.sources.now() + self._platform.settings.switch_turn

    def _is_mine(self, instance: ProcessInstance) -> bool:
        return instance.deploying == self.token

    def _is_free(self, instance: ProcessInstance) -> bool:
        return not is_locked(instance, self._platform.sources.now())

    async def _write(
        self,
        allowed: Callable[[ProcessInstance], bool],
        ends: datetime | None,
        changes: Mapping[str, object],
        *others: Write,
    ) -> None:
        held = {"deploying": self.token if ends else None, "deploying_until": ends}
        for _ in range(_TRIES):
            found = await self._platform.store.get(self._ref)
            if found is None or not allowed(found.value):
                break
            with suppress(Changed):
                patch = Patch(self._ref, {**changes, **held}, found.update_time)
                await self._platform.store.commit(patch, *others)
                self._ends = ends
                return
        raise in_progress()


@asynccontextmanager
async def turn_at(platform: Platform, ref: Ref[ProcessInstance]) -> AsyncIterator[Turn]:
    """Have the turn at an installation while the body runs.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): a deployment or another switch is at work.
    """
    turn = Turn(platform, ref)
    await turn.take()
    try:
        yield turn
    finally:
        await turn.release()


def in_progress() -> Conflict:
    """Return the refusal of whoever comes second."""
    return Conflict(
        "A deployment of this process instance is in progress, or it is being switched on or off. "
        "Wait until that has ended.",
        code="DEPLOYMENT_IN_PROGRESS",
    )

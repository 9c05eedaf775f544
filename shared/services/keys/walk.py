"""One walk through all stored secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.model.keys import KeyRotation
from shared.services.faults import point
from shared.services.keys.holdings import HOLDINGS, Holding
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch
from shared.store.sweep import sweep
from shared.vault.boxed import Sealed
from shared.vault.errors import CannotOpen

PAGE = 400
"""Documents read and written at a time; a commit takes 500 writes."""

_TRIES = 5


@dataclass(slots=True)
class Walk:
    """Goes through the holdings page by page and remembers after each page where it is."""

    platform: Platform
    rotation: KeyRotation

    async def run(self) -> KeyRotation:
        """Return the rotation once every stored secret was looked at.

        Raises:
            StoreConflict, SecretsUnavailable: start it again, and it goes on from the last page.
        """
        await self._start()
        while self.rotation.holding < len(HOLDINGS):
            await self._through(HOLDINGS[self.rotation.holding])
            await self._remember(holding=self.rotation.holding + 1, after=None)
        await self._remember(walk_ended_at=self.platform.sources.now())
        return self.rotation

    async def _start(self) -> None:
        rotation = self.rotation
        if rotation.walk_started_at is None or rotation.walk_ended_at is not None:
            now = self.platform.sources.now()
            fresh = {"holding": 0, "after": None, "resealed": 0, "unreadable": 0, "walk_ended_at": None}
            await self._remember(walk_started_at=now, **fresh)

    async def _through(self, holding: Holding[Any]) -> None:
        reading = asyncio.create_task(self._page(holding, self.rotation.after))
        writing: asyncio.Task[None] | None = None
        while found := await reading:
            last = found[-1].ref.path
            # The next page is read, and the one before written, while a thread seals this one.
            reading = asyncio.create_task(self._page(holding, last))
            patches, unreadable = await self._reseal(holding, found)
            if writing is not None:
                await writing
            writing = asyncio.create_task(self._write(holding, patches, unreadable, last))
        if writing is not None:
            await writing

    async def _page(self, holding: Holding[Any], after: str | None) -> list[Found[Any]]:
        return await sweep(
            self.platform.store,
            holding.collection,
            holding.model,
            everywhere=holding.everywhere,
            after=after,
            page=PAGE,
            fields=holding.fields,
        )

    async def _reseal(
        self, holding: Holding[Any], found: Sequence[Found[Any]]
    ) -> tuple[list[Patch[Any]], int]:
        places = [holding.places(document) for document in found]
        secrets = [(Sealed(text), context) for named in places for text, context in named.values()]
        outcomes = iter(await self.platform.vault.reseal(secrets))
        patches: list[Patch[Any]] = []
        unreadable = 0
        for document, named in zip(found, places, strict=True):
            anew = {name: next(outcomes) for name in named}
            if any(isinstance(outcome, CannotOpen) for outcome in anew.values()):
                unreadable += 1
                continue
            new = {name: outcome.text for name, outcome in anew.items() if isinstance(outcome, Sealed)}
            if new:
                kept = {name: text for name, (text, _) in named.items()}
                changes = holding.changes(document.value, {**kept, **new})
                patches.append(Patch(document.ref, changes, document.update_time))
        return patches, unreadable

    async def _write(
        self, holding: Holding[Any], patches: list[Patch[Any]], unreadable: int, last: str
    ) -> None:
        if patches:
            await self._commit(holding, patches)
        point("rewrap.page")
        await self._remember(
            after=last,
            resealed=self.rotation.resealed + len(patches),
            unreadable=self.rotation.unreadable + unreadable,
        )

    async def _commit(self, holding: Holding[Any], patches: list[Patch[Any]]) -> None:
        try:
            await self.platform.store.commit(*patches)
        except Changed:
            # Somebody wrote one of them meanwhile: what is new of it must stay.
            for patch in patches:
                await self._alone(holding, patch)

    async def _alone(self, holding: Holding[Any], patch: Patch[Any]) -> None:
        wanted: Patch[Any] | None = patch
        for _ in range(_TRIES):
            if wanted is None:
                return
            try:
                await self.platform.store.commit(wanted)
                return
            except Changed:
                found = await self.platform.store.get(patch.ref)
                wanted = await self._patch(holding, found) if found else None
        raise Changed(f"{patch.ref.path} changes all the time")

    async def _patch(self, holding: Holding[Any], document: Found[Any]) -> Patch[Any] | None:
        patches, unreadable = await self._reseal(holding, [document])
        if unreadable:
            raise CannotOpen
        return patches[0] if patches else None

    async def _remember(self, **changes: object) -> None:
        self.rotation = self.rotation.model_copy(update=changes)
        # A rotation record somebody removed is no reason to leave secrets behind.
        with suppress(Changed):
            await self.platform.store.commit(Patch(refs.key_rotation(self.rotation.version), changes))

"""Listen: a stream that tells what is there, and then what changes.

A target starts with ADD, its documents, and CURRENT. Changes follow, and after each batch a NO_CHANGE of
all targets carries the read time up to which the listener knows everything. The resume token is that
time: a listener that returns with the token of the newest commit is told nothing twice, any other one
starts over with RESET.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

from infra.local.firestore import names
from infra.local.firestore.refusal import Refusal, invalid
from infra.local.firestore.service.answers import document
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.service.targets import Delta, Watched, watched
from infra.local.firestore.store import Change
from infra.local.firestore.wire import (
    DocumentChange,
    DocumentDelete,
    DocumentRemove,
    ListenRequest,
    ListenResponse,
    Target,
    TargetChange,
    micros,
    timestamp,
)

MAX_TARGETS = 1000
_KIND = TargetChange.TargetChangeType


async def listen(backend: Backend, requests: AsyncIterator[ListenRequest]) -> AsyncGenerator[bytes]:
    """Serves one stream until the client ends it.

    Raises:
        Refusal: the request names no database, or another one than before.
    """
    stream = _Stream(backend)
    backend.store.watchers.append(stream.notice)
    backend.store.stats.listeners += 1
    reading = asyncio.create_task(stream.receive(requests))
    try:
        async for response in stream.responses():
            yield response.SerializeToString()
    finally:
        backend.store.stats.listeners -= 1
        backend.store.watchers.remove(stream.notice)
        reading.cancel()


class _Stream:
    """The targets of one listener, and what it has not been told yet."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._root = ""
        self._targets: dict[int, Watched] = {}
        self._pending: dict[bytes, Change] = {}
        self._requests: list[ListenRequest] = []
        self._wake = asyncio.Event()
        self._ended = False

    def notice(self, changes: Sequence[Change]) -> None:
        """Remembers changes that matter to a target; of several to one document only the last."""
        for change in changes:
            if any(target.covers(change.place) for target in self._targets.values()):
                self._pending[change.key] = change
        if self._pending:
            self._wake.set()

    async def receive(self, requests: AsyncIterator[ListenRequest]) -> None:
        """Takes requests until there are no more."""
        try:
            async for request in requests:
                self._requests.append(request)
                self._wake.set()
        finally:
            self._ended = True
            self._wake.set()

    async def responses(self) -> AsyncGenerator[ListenResponse]:
        """Everything to tell, as it happens."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._requests:
                async for response in self._serve(self._requests.pop(0)):
                    yield response
            while self._pending:
                async for response in self._tell():
                    yield response
            if self._ended:
                return

    async def _serve(self, request: ListenRequest) -> AsyncGenerator[ListenResponse]:
        root = names.database(request.database)
        if self._root not in ("", root):
            raise invalid("A stream listens to one database.")
        self._root = root
        kind = request.WhichOneof("target_change")
        if kind == "remove_target":
            self._targets.pop(request.remove_target, None)
            yield _target_change(_KIND.REMOVE, request.remove_target)
        elif kind == "add_target":
            async for response in self._add(request.add_target):
                yield response
        else:
            raise invalid("A listen request adds or removes a target.")

    async def _add(self, wanted: Target) -> AsyncGenerator[ListenResponse]:
        identifier = wanted.target_id or max(self._targets, default=0) + 1
        at = self._backend.store.clock.now()
        try:
            if identifier in self._targets or len(self._targets) >= MAX_TARGETS:
                raise invalid(f"Target {identifier} is in use, or there are {MAX_TARGETS} already.")
            target = watched(wanted, self._root, self._backend)
            self._targets[identifier] = target
            delta = await target.start()
        except Refusal as refusal:
            yield _refused(identifier, refusal)
            return
        yield _target_change(_KIND.ADD, identifier)
        known = self._resumes_from(wanted)
        if known is not None and known < self._backend.store.changed_at:
            yield _target_change(_KIND.RESET, identifier)
        if known is None or known < self._backend.store.changed_at:
            for response in _told(identifier, target, delta, at):
                yield response
        yield _target_change(_KIND.CURRENT, identifier, at)
        yield _target_change(_KIND.NO_CHANGE, None, at)
        if wanted.once:
            self._targets.pop(identifier, None)
            yield _target_change(_KIND.REMOVE, identifier, at)

    @staticmethod
    def _resumes_from(wanted: Target) -> int | None:
        """The moment up to which the listener says it knows everything, in microseconds."""
        if wanted.resume_token:
            return int.from_bytes(wanted.resume_token, "big") if len(wanted.resume_token) == 8 else 0
        return micros(wanted.read_time) if wanted.HasField("read_time") else None

    async def _tell(self) -> AsyncGenerator[ListenResponse]:
        changes = list(self._pending.values())
        self._pending.clear()
        at = self._backend.store.clock.now()
        told = False
        for identifier, target in tuple(self._targets.items()):
            delta = await target.follow([change for change in changes if target.covers(change.place)])
            for response in _told(identifier, target, delta, at):
                told = True
                yield response
        if told:
            yield _target_change(_KIND.NO_CHANGE, None, at)


def _told(identifier: int, target: Watched, delta: Delta, at: int) -> Iterator[ListenResponse]:
    moment = timestamp(at)
    for row in delta.shown:
        shown = document(row, target.projection)
        yield ListenResponse(document_change=DocumentChange(document=shown, target_ids=[identifier]))
    for name in delta.hidden:
        removed = DocumentRemove(document=name, removed_target_ids=[identifier], read_time=moment)
        yield ListenResponse(document_remove=removed)
    for name in delta.deleted:
        deleted = DocumentDelete(document=name, removed_target_ids=[identifier], read_time=moment)
        yield ListenResponse(document_delete=deleted)


def _target_change(kind: int, identifier: int | None, at: int | None = None) -> ListenResponse:
    change = TargetChange(target_change_type=kind, target_ids=[] if identifier is None else [identifier])
    if at is not None:
        change.read_time.CopyFrom(timestamp(at))
        change.resume_token = at.to_bytes(8, "big")
    return ListenResponse(target_change=change)


def _refused(identifier: int, refusal: Refusal) -> ListenResponse:
    change = TargetChange(target_change_type=_KIND.REMOVE, target_ids=[identifier])
    change.cause.code, change.cause.message = refusal.number, refusal.message
    return ListenResponse(target_change=change)

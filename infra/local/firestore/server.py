"""Starting and stopping the server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.clock import CommitClock
from infra.local.firestore.entries import Indexer
from infra.local.firestore.rebuild import rebuild
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.service.methods import handlers
from infra.local.firestore.storage import Storage
from infra.local.firestore.store import Stats, Store
from infra.local.firestore.sweep import fold_forever, sweep_forever
from infra.local.firestore.transactions import Transactions

SWEEP_SECONDS = 5.0
_MESSAGE_BYTES = 16 << 20
_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
)


class Server:
    """A running server: ``port`` on the loopback address, ``stats`` since its start."""

    def __init__(
        self, grpc_server: grpc.aio.Server, port: int, backend: Backend, chores: Sequence[asyncio.Task[None]]
    ) -> None:
        self.port = port
        self.backend = backend
        self._grpc = grpc_server
        self._chores = chores

    @property
    def stats(self) -> Stats:
        """Counters: rows and index entries read, commits, aborts."""
        return self.backend.store.stats

    async def stop(self, grace: float = 0.5) -> None:
        """Lets running requests end for up to ``grace`` seconds, then closes the data file."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._grpc.stop(grace)
        store = self.backend.store
        store.storage.set_meta("clock", str(store.clock.last))
        store.storage.close()


async def serve(
    port: int, data: Path, indexes: IndexCatalogue, *, sweep_seconds: float = SWEEP_SECONDS
) -> Server:
    """Starts a server on 127.0.0.1; port 0 takes a free one.

    Raises:
        IncompatibleFile: ``data`` is not a data file of this version.
        DataInUse: another server works on it.
        OSError: the port is taken.
    """
    storage = Storage(data)
    rebuild(storage, indexes)
    clock = CommitClock(int(storage.meta("clock") or 0))
    store = Store(storage, Indexer(indexes), clock, changed_at=clock.now())
    backend = Backend(store, Transactions(store), indexes)
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((handlers(backend),))
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        storage.close()
        raise OSError(f"Port {port} is taken.") from error
    await server.start()
    chores = [
        asyncio.create_task(sweep_forever(backend, sweep_seconds)),
        asyncio.create_task(fold_forever(storage)),
    ]
    return Server(server, bound, backend, chores)

"""Commits and transactions."""

from __future__ import annotations

from infra.local.firestore import names
from infra.local.firestore.refusal import Refusal, invalid
from infra.local.firestore.service.backend import Backend, begin
from infra.local.firestore.wire import (
    BatchWriteRequest,
    BatchWriteResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    RollbackRequest,
    WriteResult,
    timestamp,
)
from infra.local.firestore.writes import target


class Commits:
    """The RPCs that change documents, many at a time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def begin_transaction(self, request: BeginTransactionRequest) -> bytes:
        """BeginTransaction."""
        transaction = begin(self._backend, names.database(request.database), request.options)
        return BeginTransactionResponse(transaction=transaction.id).SerializeToString()

    async def rollback(self, request: RollbackRequest) -> bytes:
        """Rollback; of a transaction that is over already, too, since a failed commit ends it."""
        names.database(request.database)
        self._backend.transactions.forget(request.transaction)
        return b""

    async def commit(self, request: CommitRequest) -> bytes:
        """Commit: all writes or none; inside a transaction only when what it read still holds."""
        root = names.database(request.database)
        store, transactions = self._backend.store, self._backend.transactions
        if not request.transaction:
            committed = store.commit(root, request.writes)
        else:
            transaction = transactions.find(request.transaction, root)
            try:
                if request.writes and transaction.read_only:
                    raise invalid("Cannot modify entities in a read-only transaction.")
                if request.writes:
                    transactions.validate(transaction)
                committed = store.commit(root, request.writes)
            finally:
                transactions.end(transaction)
        answer = CommitResponse(commit_time=timestamp(committed.at))
        answer.write_results.extend(committed.results)
        return answer.SerializeToString()

    async def batch_write(self, request: BatchWriteRequest) -> bytes:
        """BatchWrite: every write for itself, with a status each."""
        root = names.database(request.database)
        targets = [target(write) for write in request.writes]
        if len(set(targets)) < len(targets):
            raise invalid("BatchWrite cannot write to the same document more than once.")
        answer = BatchWriteResponse()
        for write in request.writes:
            status = answer.status.add()
            try:
                committed = self._backend.store.commit(root, [write])
            except Refusal as refusal:
                status.code, status.message = refusal.number, refusal.message
                answer.write_results.append(WriteResult())
            else:
                answer.write_results.extend(committed.results)
        return answer.SerializeToString()

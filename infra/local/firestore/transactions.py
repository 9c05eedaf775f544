"""Optimistic transactions.

A read-write transaction reads a snapshot taken at its first read and remembers what it saw; its commit is
aborted when any of that has changed. Who waits for a turn on a contended document sees a snapshot of
after the wait, provided that what it read before has not changed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from infra.local.firestore.names import Place
from infra.local.firestore.refusal import contended, invalid
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Change, Store
from infra.local.firestore.turns import Ticket, Turns

LIFETIME = 270.0
IDLE = 60.0
MAX_OPEN = 10_000
MAX_LOG = 20_000


class Footprint(Protocol):
    """What a query in a transaction looked at."""

    def covers(self, place: Place) -> bool:
        """Whether a document of this name could be a result."""

    def shows(self, row: Row) -> bool:
        """Whether this version of a document is, or would be, among the results that were read."""


@dataclass(slots=True, eq=False)
class Transaction:
    """An open transaction. ``at`` is the moment its reads show, None before the first one."""

    id: bytes
    root: str
    read_only: bool
    at: int | None
    born: float
    touched: float
    reads: dict[bytes, int] = field(default_factory=dict)
    footprints: list[Footprint] = field(default_factory=list)
    ticket: Ticket = field(default_factory=Ticket)


class Transactions:
    """The open transactions of a store."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._open: dict[bytes, Transaction] = {}
        self._turns = Turns(now)
        self._log: dict[bytes, tuple[Place, int]] = {}
        self._log_lost = 0
        store.watchers.append(self._remember)

    def begin(self, root: str, *, read_only: bool, at: int | None = None) -> Transaction:
        """Opens a transaction; a read-only one sees the moment ``at``, or now.

        Raises:
            Refusal: ABORTED when too many are open.
        """
        if len(self._open) >= MAX_OPEN:
            self.expire()
            if len(self._open) >= MAX_OPEN:
                raise contended(f"More than {MAX_OPEN} transactions are open.")
        now = self._now()
        if read_only and at is None:
            at = self._store.clock.now()
        transaction = Transaction(secrets.token_bytes(12), root, read_only, at, now, now)
        self._open[transaction.id] = transaction
        return transaction

    def find(self, identifier: bytes, root: str) -> Transaction:
        """The open transaction with this id.

        Raises:
            Refusal: INVALID_ARGUMENT when it is unknown, over or expired.
        """
        found = self._open.get(identifier)
        if found is None or found.root != root or self._is_over(found):
            raise invalid("The referenced transaction has expired or is no longer valid.")
        found.touched = self._now()
        return found

    async def prepare(self, transaction: Transaction, keys: Sequence[bytes]) -> int:
        """Waits for the turn on contended documents; returns the moment to read."""
        waited = False
        if not transaction.read_only and self._turns:
            for key in sorted(set(keys)):
                waited |= await self._turns.take(key, transaction.ticket)
        if transaction.at is None or (waited and self._is_current(transaction)):
            transaction.at = self._store.clock.now()
        return transaction.at

    def _is_current(self, transaction: Transaction) -> bool:
        """Whether the snapshot may move on to now, because nothing that was read has changed."""
        return not transaction.footprints and not self._changed_read(transaction)

    def _changed_read(self, transaction: Transaction) -> bytes | None:
        """A document that has changed since the transaction read it, if any."""
        for key, version in transaction.reads.items():
            row = self._store.storage.get(key)
            if (0 if row is None else row.updated) != version:
                return key
        return None

    def forget(self, identifier: bytes) -> None:
        """Ends the transaction with this id, if it is open."""
        transaction = self._open.get(identifier)
        if transaction is not None:
            self.end(transaction)

    def end(self, transaction: Transaction) -> None:
        """Forgets a transaction and passes its turns on."""
        self._open.pop(transaction.id, None)
        self._turns.end(transaction.ticket)
        if not self._open:
            self._log.clear()

    def validate(self, transaction: Transaction) -> None:
        """Checks that what the transaction read is still so.

        Raises:
            Refusal: ABORTED when it is not; the documents are contended from now on.
        """
        changed = self._changed_read(transaction)
        if changed is not None:
            self._turns.contend(changed)
            raise self._aborted()
        if transaction.footprints and transaction.at is not None:
            self._validate_queries(transaction, transaction.at)

    def expire(self) -> int:
        """Ends transactions that were forgotten, and cools documents; returns how many ended."""
        over = [transaction for transaction in self._open.values() if self._is_over(transaction)]
        for transaction in over:
            self.end(transaction)
        self._turns.cool()
        return len(over)

    def _is_over(self, transaction: Transaction) -> bool:
        now = self._now()
        return now - transaction.touched > IDLE or now - transaction.born > LIFETIME

    def _aborted(self) -> Exception:
        self._store.stats.aborts += 1
        return contended("Aborted due to cross-transaction contention. Please retry the transaction.")

    def _remember(self, changes: Sequence[Change]) -> None:
        """Notes which documents change while somebody's reads may have to be compared with that."""
        if not self._open:
            return
        for change in changes:
            self._log.pop(change.key, None)
            self._log[change.key] = (change.place, change.at)
        while len(self._log) > MAX_LOG:
            oldest = next(iter(self._log))
            self._log_lost = self._log.pop(oldest)[1]

    def _validate_queries(self, transaction: Transaction, at: int) -> None:
        if self._log_lost > at:
            raise self._aborted()
        for key in reversed(self._log):
            place, changed_at = self._log[key]
            if changed_at <= at:
                return
            covering = [print_ for print_ in transaction.footprints if print_.covers(place)]
            if covering and self._conflicts(covering, key, at):
                raise self._aborted()

    def _conflicts(self, footprints: list[Footprint], key: bytes, at: int) -> bool:
        """Whether a changed document was among what was read, or would be now."""
        seen = (self._store.read(key, at), self._store.storage.get(key))
        return any(print_.shows(row) for print_ in footprints for row in seen if row is not None)

"""Optimistic transactions with a queue for contended documents.

A read-write transaction reads a snapshot taken at its first read and remembers what it saw; its commit is
aborted when any of that has changed. A document that caused an abort is *contended* for a while: whoever
reads it in a transaction then waits for its turn, so that writers come one after the other and each
commits at its first try. A turn ends with the transaction, or after ``LEASE`` seconds.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from infra.local.firestore.names import Place
from infra.local.firestore.refusal import contended, invalid
from infra.local.firestore.storage import Row
from infra.local.firestore.store import Change, Store

LIFETIME = 270.0
IDLE = 60.0
LEASE = 0.25
COOLING = 2.0
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
    turns: list[bytes] = field(default_factory=list)
    waits_for: bytes | None = None


@dataclass(slots=True)
class _Turn:
    """Who may work on a contended document, and who waits."""

    cools_at: float
    holder: Transaction | None = None
    ends_at: float = 0.0
    waiting: deque[tuple[asyncio.Future[None], Transaction]] = field(default_factory=deque)


class Transactions:
    """The open transactions of a store."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._open: dict[bytes, Transaction] = {}
        self._turns: dict[bytes, _Turn] = {}
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
        if not transaction.read_only:
            for key in sorted(set(keys)):
                if key in self._turns:
                    waited |= await self._take_turn(key, transaction)
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
        for key in transaction.turns:
            self._pass_turn(key, transaction)
        transaction.turns.clear()
        if not self._open:
            self._log.clear()

    def validate(self, transaction: Transaction) -> None:
        """Checks that what the transaction read is still so.

        Raises:
            Refusal: ABORTED when it is not; the documents are contended from now on.
        """
        changed = self._changed_read(transaction)
        if changed is not None:
            self._contend(changed)
            raise self._aborted()
        if transaction.footprints and transaction.at is not None:
            self._validate_queries(transaction, transaction.at)

    def expire(self) -> int:
        """Ends transactions that were forgotten, and cools documents; returns how many ended."""
        over = [transaction for transaction in self._open.values() if self._is_over(transaction)]
        for transaction in over:
            self.end(transaction)
        now = self._now()
        for key in [key for key, turn in self._turns.items() if turn.holder is None and turn.cools_at < now]:
            del self._turns[key]
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

    def _contend(self, key: bytes) -> None:
        turn = self._turns.setdefault(key, _Turn(0.0))
        turn.cools_at = self._now() + COOLING

    async def _take_turn(self, key: bytes, transaction: Transaction) -> bool:
        """Takes the turn on a document, after waiting for it when need be; returns whether it waited."""
        turn = self._turns[key]
        if turn.holder is transaction or self._waits_for(turn.holder, transaction):
            return False
        if turn.holder is None or self._now() >= turn.ends_at:
            self._give_turn(key, turn, transaction)
            return False
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (called, transaction)
        turn.waiting.append(waiter)
        transaction.waits_for = key
        try:
            await asyncio.wait_for(called, turn.ends_at - self._now() + LEASE * (len(turn.waiting) - 1))
        except TimeoutError:
            self._give_turn(key, turn, transaction)
        finally:
            transaction.waits_for = None
            if waiter in turn.waiting:
                turn.waiting.remove(waiter)
        return True

    def _waits_for(self, holder: Transaction | None, transaction: Transaction) -> bool:
        """Whether ``holder`` in the end waits for ``transaction``: then nobody would ever move."""
        seen: set[bytes] = set()
        while holder is not None and holder.waits_for is not None and holder.id not in seen:
            seen.add(holder.id)
            turn = self._turns.get(holder.waits_for)
            holder = None if turn is None else turn.holder
            if holder is transaction:
                return True
        return False

    def _give_turn(self, key: bytes, turn: _Turn, transaction: Transaction) -> None:
        turn.holder, turn.ends_at = transaction, self._now() + LEASE
        turn.cools_at = self._now() + COOLING
        transaction.waits_for = None
        transaction.turns.append(key)

    def _pass_turn(self, key: bytes, transaction: Transaction) -> None:
        turn = self._turns.get(key)
        if turn is None or turn.holder is not transaction:
            return
        turn.holder = None
        while turn.waiting:
            called, following = turn.waiting.popleft()
            if not called.done() and following.id in self._open:
                self._give_turn(key, turn, following)
                called.set_result(None)
                return

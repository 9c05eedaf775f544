"""What every RPC works with, and how a request names the moment it wants to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.refusal import invalid
from infra.local.firestore.store import Store
from infra.local.firestore.transactions import Transaction, Transactions
from infra.local.firestore.wire import Timestamp, TransactionOptions, micros


@dataclass(frozen=True, slots=True)
class Backend:
    """The one store, its transactions and its indexes."""

    store: Store
    transactions: Transactions
    catalogue: IndexCatalogue


class Reading(Protocol):
    """A request that reads at a moment, in a transaction, or now."""

    transaction: bytes
    read_time: Timestamp

    def WhichOneof(self, name: str) -> str | None:
        """The set member of a choice."""


class Opening(Reading, Protocol):
    """A reading request that may open a transaction."""

    new_transaction: TransactionOptions


@dataclass(frozen=True, slots=True)
class Moment:
    """What a request reads: ``at`` in microseconds (None is now), maybe inside a transaction.

    ``shown`` is the read time the answer carries, ``opened`` the id of a transaction this request began.
    """

    at: int | None
    shown: int
    transaction: Transaction | None = None
    opened: bytes = b""

    @property
    def recorded(self) -> Transaction | None:
        """The transaction that must remember what it reads."""
        transaction = self.transaction
        return None if transaction is None or transaction.read_only else transaction


def begin(backend: Backend, root: str, options: TransactionOptions) -> Transaction:
    """Opens a transaction as asked; read-write when nothing is asked.

    Raises:
        Refusal: the read time is out of reach, or too many are open.
    """
    if options.WhichOneof("mode") != "read_only":
        return backend.transactions.begin(root, read_only=False)
    wished = options.read_only
    at = micros(wished.read_time) if wished.HasField("read_time") else None
    if at is not None:
        at = backend.store.check_moment(at)
    return backend.transactions.begin(root, read_only=True, at=at)


async def moment(backend: Backend, request: Reading, root: str, keys: Sequence[bytes] = ()) -> Moment:
    """The moment a request reads; waits for a turn on contended documents inside a transaction.

    Raises:
        Refusal: the transaction is over, or the read time is out of reach.
    """
    kind = request.WhichOneof("consistency_selector")
    if kind is None:
        return Moment(None, backend.store.clock.now())
    if kind == "read_time":
        at = backend.store.check_moment(micros(request.read_time))
        return Moment(at, at)
    opened = b""
    if kind == "transaction":
        transaction = backend.transactions.find(request.transaction, root)
    elif kind == "new_transaction":
        transaction = begin(backend, root, _options(request))
        opened = transaction.id
    else:
        raise invalid(f"Unknown consistency selector {kind!r}.")
    at = await backend.transactions.prepare(transaction, keys)
    return Moment(at, at, transaction, opened)


def _options(request: Reading) -> TransactionOptions:
    options: TransactionOptions = getattr(request, "new_transaction")  # noqa: B009 - only openings get here
    return options

"""Turns on contended documents.

A document that caused an abort is contended for a while. Whoever reads it in a transaction then waits for
its turn, so that writers come one after the other and each commits at its first try. A turn ends with its
transaction, or after ``LEASE`` seconds when somebody waits: it is a courtesy, never a lock, and what is
right is decided at the commit.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

LEASE = 0.25
COOLING = 2.0


@dataclass(slots=True, eq=False)
class Ticket:
    """What a transaction holds and waits for."""

    held: list[bytes] = field(default_factory=list)
    waits_for: bytes | None = None
    over: bool = False


@dataclass(slots=True)
class _Turn:
    """Who may work on a document, and who waits."""

    cools_at: float
    holder: Ticket | None = None
    ends_at: float = 0.0
    waiting: deque[tuple[asyncio.Future[None], Ticket]] = field(default_factory=deque)


class Turns:
    """The contended documents."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._turns: dict[bytes, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def contend(self, key: bytes) -> None:
        """Makes a document contended for the next ``COOLING`` seconds."""
        self._turns.setdefault(key, _Turn(0.0)).cools_at = self._now() + COOLING

    def cool(self) -> None:
        """Forgets documents nobody has quarrelled about for a while."""
        now = self._now()
        for key in [key for key, turn in self._turns.items() if turn.holder is None and turn.cools_at < now]:
            del self._turns[key]

    async def take(self, key: bytes, ticket: Ticket) -> bool:
        """Takes the turn on a contended document, waiting when need be; returns whether it waited."""
        turn = self._turns.get(key)
        if turn is None or turn.holder is ticket or self._waits_for(turn.holder, ticket):
            return False
        if turn.holder is None or self._now() >= turn.ends_at:
            self._give(key, turn, ticket)
            return False
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (called, ticket)
        turn.waiting.append(waiter)
        ticket.waits_for = key
        try:
            await asyncio.wait_for(called, turn.ends_at - self._now() + LEASE * (len(turn.waiting) - 1))
        except TimeoutError:
            self._give(key, turn, ticket)
        finally:
            ticket.waits_for = None
            if waiter in turn.waiting:
                turn.waiting.remove(waiter)
        return True

    def end(self, ticket: Ticket) -> None:
        """Passes on every turn of a transaction that is over."""
        ticket.over = True
        for key in ticket.held:
            turn = self._turns.get(key)
            if turn is not None and turn.holder is ticket:
                self._pass_on(key, turn)
        ticket.held.clear()

    def _waits_for(self, holder: Ticket | None, ticket: Ticket) -> bool:
        """Whether ``holder`` in the end waits for ``ticket``: then nobody would ever move."""
        seen: set[int] = set()
        while holder is not None and holder.waits_for is not None and id(holder) not in seen:
            seen.add(id(holder))
            turn = self._turns.get(holder.waits_for)
            holder = None if turn is None else turn.holder
            if holder is ticket:
                return True
        return False

    def _give(self, key: bytes, turn: _Turn, ticket: Ticket) -> None:
        turn.holder, turn.ends_at = ticket, self._now() + LEASE
        turn.cools_at = self._now() + COOLING
        ticket.waits_for = None
        ticket.held.append(key)

    def _pass_on(self, key: bytes, turn: _Turn) -> None:
        turn.holder = None
        while turn.waiting:
            called, following = turn.waiting.popleft()
            if not called.done() and not following.over:
                self._give(key, turn, following)
                called.set_result(None)
                return

"""How much memory the processes of a stack hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from infra.local.stack.record import read_record
from tests.support.stack import RunningStack

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes: ``rss`` counts shared pages in every process, ``pss`` divides them."""

    rss: float
    pss: float

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss)


NOTHING = Memory(0, 0)


def memory_of(stack: RunningStack) -> Mapping[str, Memory]:
    """Return the memory of each part, the children of its process included."""
    record = read_record(stack.state)
    if record is None:
        raise LookupError(f"no stack runs below {stack.state}")
    parts = {process.name: process.identity for process in record.processes}
    found = {name: _family(identity.pid) for name, identity in parts.items() if identity is not None}
    # Its children are the parts.
    return {**found, "supervisor": _alone(psutil.Process(record.supervisor.pid))}


def _family(pid: int) -> Memory:
    process = psutil.Process(pid)
    return sum((_alone(member) for member in (process, *process.children(recursive=True))), NOTHING)


def _alone(process: psutil.Process) -> Memory:
    held = process.memory_full_info()
    return Memory(held.rss / MEGABYTE, held.pss / MEGABYTE)

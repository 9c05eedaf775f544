"""Stopping exactly what a run started."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.stack.identity import marked
from infra.local.stack.record import RunRecord, read_record, remove_record

PATIENCE = 60.0
"""Seconds a supervisor gets to stop its processes; longer than all their grace periods together."""
_GRACE = 5.0


def take_down(state: Path) -> bool:
    """Stop the run recorded below ``state`` and return whether anything was running.

    The supervisor is asked to stop its processes. Whatever is left then, because the supervisor was
    killed or hangs, is found by its identity or its mark and ended one by one. A process that merely
    has a recorded number is left alone.

    Raises:
        LocalStackError: a process survives even SIGKILL.
    """
    record = read_record(state)
    if record is None:
        return False
    was_running = record.running() or bool(_survivors(record))
    if record.running():
        _signal(record.supervisor.pid, signal.SIGTERM)
        if not _until(lambda: not record.running(), PATIENCE):
            _signal(record.supervisor.pid, signal.SIGKILL)
    _end_survivors(record)
    remove_record(state)
    return was_running


def _end_survivors(record: RunRecord) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _survivors(record):
            _signal(pid, number)
        if _until(lambda: not _survivors(record), _GRACE):
            return
    raise LocalStackError(f"processes {_survivors(record)} of the stack cannot be stopped")


def _survivors(record: RunRecord) -> list[int]:
    identities = (process.identity for process in record.processes)
    recorded = {identity.pid for identity in identities if identity is not None and identity.alive()}
    return sorted(recorded.union(marked(record.run_id)))


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _until(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True

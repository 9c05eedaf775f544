"""One ``up`` at a time per state folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.stack.log_file import open_log
from infra.local.stack.private_file import private_folder


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the state folder for the time of the block; the lock ends with the process at the latest.

    Raises:
        LocalStackError: another ``up`` holds it.
    """
    private_folder(state)
    with os.fdopen(open_log(state / "up.lock"), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalStackError(f"another `up` is at work in {state}; wait until it is done") from error
        yield

"""Telling a process apart from a later one that got the same number."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_RUN_ID = "PODIUM_RUN_ID"


@dataclass(frozen=True, slots=True)
class Identity:
    """A process id together with the moment that process started."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Return whether this very process still runs; a zombie does not."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """Return the identity of the running process ``pid``, or ``None`` when there is none."""
    started = _start_from_proc(pid) if _PROC.joinpath("self/stat").exists() else _start_from_ps(pid)
    return Identity(pid, started) if started else None


def marked(run_id: str) -> list[int]:
    """Return the processes that were started by the run ``run_id``, their descendants included.

    They are found by the mark in their environment. Where the system has no ``/proc`` the list is empty.
    """
    mark = f"{_RUN_ID}={run_id}".encode()
    return [pid for pid in _numbers() if mark in _environment(pid) and identify(pid) is not None]


def marking(run_id: str) -> dict[str, str]:
    """Return the environment variable that marks a process as started by the run ``run_id``."""
    return {_RUN_ID: run_id}


def _start_from_proc(pid: int) -> str | None:
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text()
    except OSError:
        return None
    # The program's name stands in brackets and may itself hold spaces and brackets.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


def _boot() -> str:
    # Start times count from the boot, so they repeat after the next one.
    try:
        return _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"


def _start_from_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.split(maxsplit=1)[-1]


def _numbers() -> list[int]:
    if not _PROC.is_dir():
        return []
    found = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in found if pid != os.getpid()]


def _environment(pid: int) -> list[bytes]:
    try:
        return _PROC.joinpath(str(pid), "environ").read_bytes().split(b"\0")
    except OSError:
        return []

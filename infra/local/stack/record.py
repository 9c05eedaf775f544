"""``run.json``: what runs, with the numbers and ports of the processes. It holds no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local.stack.identity import Identity
from infra.local.stack.private_file import write_private

NAME = "run.json"


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """The state of one process."""

    name: str
    state: str
    port: int | None
    restarts: int
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The state of a stack, as its supervisor last wrote it."""

    run_id: str
    stack_file: Path
    supervisor: Identity
    processes: tuple[ProcessRecord, ...]

    def running(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return self.supervisor.alive()

    def write(self, state: Path) -> None:
        """Replace the record below the folder ``state``."""
        content = {
            "runId": self.run_id,
            "stackFile": str(self.stack_file),
            "supervisor": asdict(self.supervisor),
            "processes": [_encode(process) for process in self.processes],
        }
        write_private(state / NAME, json.dumps(content, indent=1) + "\n")


def read_record(state: Path) -> RunRecord | None:
    """Return the record below ``state``, or ``None`` when there is none that can be read."""
    try:
        content = json.loads((state / NAME).read_text(encoding="utf-8"))
        processes = tuple(_decode(entry) for entry in content["processes"])
        supervisor = Identity(**content["supervisor"])
        return RunRecord(content["runId"], Path(content["stackFile"]), supervisor, processes)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def remove_record(state: Path) -> None:
    """Forget the record; nothing runs any more."""
    (state / NAME).unlink(missing_ok=True)


def _encode(process: ProcessRecord) -> dict[str, object]:
    identity = process.identity
    return {
        "name": process.name,
        "state": process.state,
        "port": process.port,
        "restarts": process.restarts,
        "pid": identity and identity.pid,
        "started": identity and identity.started,
    }


def _decode(entry: Mapping[str, Any]) -> ProcessRecord:
    identity = None if entry["pid"] is None else Identity(entry["pid"], entry["started"])
    return ProcessRecord(entry["name"], entry["state"], entry["port"], entry["restarts"], identity)

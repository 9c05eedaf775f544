"""``run.json``: what runs, with the numbers and ports of the processes. It holds no secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

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
        write_private(state / NAME, json.dumps(asdict(self), indent=1, default=str) + "\n")


def read_record(state: Path) -> RunRecord | None:
    """Return the record below ``state``, or ``None`` when there is none that can be read."""
    try:
        content = json.loads((state / NAME).read_text(encoding="utf-8"))
        processes = tuple(
            ProcessRecord(
                entry["name"], entry["state"], entry["port"], entry["restarts"], _identity(entry["identity"])
            )
            for entry in content["processes"]
        )
        stack_file, supervisor = Path(content["stack_file"]), Identity(**content["supervisor"])
        return RunRecord(content["run_id"], stack_file, supervisor, processes)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def remove_record(state: Path) -> None:
    """Forget the record; nothing runs any more."""
    (state / NAME).unlink(missing_ok=True)


def _identity(entry: dict[str, object] | None) -> Identity | None:
    return None if entry is None else Identity(int(str(entry["pid"])), str(entry["started"]))

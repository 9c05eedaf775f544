"""What the supervisor is told to run: plain data that travels as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process of the stack. Durations are seconds."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    """The complete environment of the process; it may hold secrets, so it is never written to a file."""
    after: tuple[str, ...] = ()
    """Processes that must be ready before this one starts."""
    ready_url: str | None = None
    """Ready when this URL answers 200; without one, when the process prints a JSON object on a line."""
    ready_within: float = 30.0
    grace: float = 10.0
    """Time between SIGTERM and SIGKILL."""
    port: int | None = None
    """The port to show to people."""
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole stack: where it keeps its files and what it runs."""

    run_id: str
    """Random; every started process carries it in its environment as ``PODIUM_RUN_ID``."""
    state: Path
    stack_file: Path
    processes: tuple[ProcessPlan, ...]

    def encode(self) -> str:
        """Return the plan as one line of JSON, secrets included: for a pipe, never for a file."""
        return json.dumps(
            {
                "runId": self.run_id,
                "state": str(self.state),
                "stackFile": str(self.stack_file),
                "processes": [asdict(process) for process in self.processes],
            }
        )

    @classmethod
    def decode(cls, line: str) -> Plan:
        """Return the plan that :meth:`encode` wrote."""
        content = json.loads(line)
        processes = []
        for entry in content["processes"]:
            lists = {"command": tuple(entry["command"]), "after": tuple(entry["after"])}
            processes.append(ProcessPlan(**{**entry, **lists}))
        state, stack_file = Path(content["state"]), Path(content["stackFile"])
        return cls(content["runId"], state, stack_file, tuple(processes))

"""What the command line of ``up`` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from infra.local.stack.addresses import Ports
from infra.local.stack.own_n8n import Engine


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of ``up``, checked for themselves; both paths are absolute."""

    state: Path
    stack_file: Path
    ports: Ports
    n8n_url: str | None = None
    """Base URL of an n8n the user already has, without trailing slash; without one the stack runs its own."""
    n8n_api_key: str | None = field(default=None, repr=False)
    n8n_engine: Engine = "legacy"
    google_firestore: bool = False
    demo: bool = True

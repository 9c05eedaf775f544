"""Where an installed n8n is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class N8nInstallation:
    """The programs of an installation; several instances may run from one."""

    node: Path
    """The Node that n8n was built for."""
    npm: Path
    """npm's script, to be run with :attr:`node`."""
    n8n: Path
    """n8n's script, to be run with :attr:`node`."""
    compile_cache: Path
    """Where Node keeps compiled code between starts."""

    def node_first(self, path: str) -> str:
        """Return a ``PATH`` on which our Node comes first: n8n starts its runner by the name ``node``."""
        return f"{self.node.parent}:{path}"

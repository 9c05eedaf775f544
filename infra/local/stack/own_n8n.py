"""The stack's own n8n, installed into the cache folder."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.stack.addresses import Stack
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.progress import Progress


@dataclass(slots=True)
class OwnN8n:
    """Implements :class:`~infra.local.stack.n8n_host.N8nHost` with the pinned n8n."""

    stack: Stack
    engine: str
    own: bool = True

    async def install(self, progress: Progress) -> None:
        """Install what is missing."""

    def processes(self, environment: dict[str, str]) -> tuple[ProcessPlan, ...]:
        """Return the n8n process."""
        return ()

    async def api_key(self, progress: Progress) -> str:
        """Return the key of the owner."""
        return ""

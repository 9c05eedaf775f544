"""The stack's own n8n, installed into the cache folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.local import n8n
from infra.local.errors import LocalStackError
from infra.local.n8n.launch import readiness_url
from infra.local.stack.addresses import Stack, cache_folder
from infra.local.stack.identity import marking
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.ports import free_after
from infra.local.stack.private_file import generated_once, private_folder
from infra.local.stack.progress import Progress

Engine = Literal["legacy", "isolate"]


@dataclass(slots=True)
class OwnN8n:
    """Implements :class:`~infra.local.stack.n8n_host.N8nHost` with the pinned n8n."""

    stack: Stack
    engine: Engine = "legacy"
    own: bool = True
    _installation: n8n.N8nInstallation | None = None

    async def install(self, progress: Progress) -> None:
        """Install what is missing of n8n, and our node package.

        Raises:
            LocalStackError: a compiler is missing or a download failed.
        """
        progress.step("checking n8n; the first time it is installed, which takes minutes")
        cache = cache_folder()
        try:
            self._installation = await n8n.install(cache, progress.follow)
            n8n.install_node_package(private_folder(self._folder))
        except PermissionError as error:
            raise LocalStackError(f"{error.filename or cache} cannot be written") from error

    def processes(self, run_id: str, environment: dict[str, str]) -> tuple[ProcessPlan, ...]:
        """Return the n8n process; it gets what it needs of ``environment`` and no more."""
        assert self._installation is not None, "install() comes first"
        port = self.stack.ports.n8n
        settings = n8n.environment(
            self._installation,
            user_folder=self._folder,
            port=port,
            # Not just any port: it has to be free again at every restart.
            broker_port=free_after(port, unlike=self.stack.ports),
            encryption_key=generated_once(self._secrets / "n8n-encryption-key"),
            codika_api_url=self.stack.base_url,
            expression_engine="legacy" if self.engine == "legacy" else "vm",
            machine=environment,
        )
        process = ProcessPlan(
            name="n8n",
            command=n8n.command(self._installation),
            environment={**settings, **marking(run_id)},
            ready_url=readiness_url(self.stack.n8n_url),
            ready_within=240,
            port=port,
            folder=str(self._folder),
        )
        return (process,)

    async def api_key(self, progress: Progress) -> str:
        """Return a key of its public API; the first time its owner is made.

        Raises:
            LocalStackError: n8n has an owner that is not ours.
        """
        progress.step("signing in to n8n")
        return await n8n.prepare(self.stack.n8n_url, private_folder(self._secrets))

    @property
    def _folder(self) -> Path:
        return self.stack.state / "n8n"

    @property
    def _secrets(self) -> Path:
        return self.stack.state / "secrets"

"""The parts of the platform's own stack: Firestore, tasks and secrets, mail, gateway, n8n."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from infra.local.errors import LocalStackError
from infra.local.stack import processes
from infra.local.stack.addresses import Stack
from infra.local.stack.n8n_host import N8nHost
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.progress import Progress
from infra.local.stack.stack_file import carried_over, read_stack_file
from shared.errors import PlatformError


@dataclass(frozen=True, slots=True)
class PodiumParts:
    """Implements :class:`~infra.local.stack.up.Parts` for the platform."""

    stack: Stack
    n8n: N8nHost
    google_firestore: bool = False

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports its processes will listen at, by part."""
        ports: dict[str, int] = asdict(self.stack.ports)
        return {part: port for part, port in ports.items() if part != "n8n" or self.n8n.own}

    async def install(self, progress: Progress) -> None:
        """Install n8n, or check the one the user has.

        Raises:
            LocalStackError: n8n cannot be installed or reached.
        """
        await self.n8n.install(progress)
        if not self.n8n.own:
            progress.note(f"it must run our node package, with CODIKA_API_URL={self.stack.base_url}")

    def processes(self, run_id: str) -> tuple[ProcessPlan, ...]:
        """Return the processes to run, those first that others wait for.

        Raises:
            LocalStackError: Google's emulator is asked for and not installed.
        """
        environment = processes.inherited(run_id)
        return (
            processes.firestore(self.stack, environment, google=self.google_firestore),
            processes.tasks(self.stack, environment),
            processes.mail(self.stack, environment),
            *self.n8n.processes(run_id, environment),
            processes.gateway(self.stack, environment),
        )

    async def fill(self, progress: Progress) -> Mapping[str, object]:
        """Give n8n an owner, create the organizations, and return the content of the stack file.

        Raises:
            LocalStackError: n8n has another owner, or refuses what the platform needs of it.
        """
        stack = replace(self.stack, n8n_api_key=await self.n8n.api_key(progress))
        progress.step("preparing organizations, keys and queues")
        try:
            return await _prepared(stack, progress, own_n8n=self.n8n.own)
        except PlatformError as error:
            raise LocalStackError(f"the platform cannot be prepared: {error.message}") from error


async def _prepared(stack: Stack, progress: Progress, *, own_n8n: bool) -> Mapping[str, object]:
    # The platform's own code loads the Google clients: only where it is needed.
    from infra.local.bootstrap import bootstrap, prepare

    await prepare(stack)
    content = read_stack_file(stack.stack_file)
    kept = await carried_over(content, stack, own_n8n=own_n8n) if content else None
    if kept is not None:
        progress.note("those of the last time still work")
        return kept
    return await bootstrap(stack)

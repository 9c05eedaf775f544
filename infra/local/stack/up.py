"""``up``: from a fresh machine, or a stopped stack, to a running platform."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Protocol

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import Stack
from infra.local.stack.launch import Launch
from infra.local.stack.plan import Plan, ProcessPlan
from infra.local.stack.ports import require_free
from infra.local.stack.private_file import private_folder
from infra.local.stack.progress import Progress
from infra.local.stack.record import read_record
from infra.local.stack.stack_file import write_stack_file
from infra.local.stack.takedown import take_down
from infra.local.stack.turn import exclusive

_GLANCE = 0.2
"""Seconds between looks at whether somebody stopped the stack meanwhile."""


class Parts(Protocol):
    """What a stack consists of; :class:`~infra.local.stack.parts.PodiumParts` is the platform."""

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports its processes will listen at, by part."""
        ...

    async def install(self, progress: Progress) -> None:
        """Check and install what the processes need."""
        ...

    def processes(self, run_id: str) -> tuple[ProcessPlan, ...]:
        """Return the processes to run, those first that others wait for."""
        ...

    async def fill(self, progress: Progress) -> Mapping[str, object]:
        """Make the running processes usable and return the content of the stack file."""
        ...


def bring_up(stack: Stack, parts: Parts, progress: Progress, loop: asyncio.Runner) -> bool:
    """Bring the stack up and write its stack file; return ``False`` when it was up already.

    When anything fails, or this process is interrupted or killed, what was started is taken down again.

    Raises:
        LocalStackError: what is missing or went wrong, in one sentence.
    """
    with exclusive(stack.state):
        record = read_record(stack.state)
        if record is not None and record.running():
            return False
        if take_down(stack.state):
            print("Stopped what an earlier run had left behind.")
        require_free(parts.ports)
        private_folder(stack.data)
        loop.run(parts.install(progress))
        run_id = secrets.token_hex(16)
        plan = Plan(run_id, stack.state, stack.stack_file, parts.processes(run_id))
        with Launch(plan) as launch:
            progress.step("starting " + ", ".join(process.name for process in plan.processes))
            launch.wait(progress)
            write_stack_file(stack.stack_file, loop.run(_filled(parts, launch, progress)))
            launch.keep()
    return True


async def _filled(parts: Parts, launch: Launch, progress: Progress) -> Mapping[str, object]:
    filling = asyncio.ensure_future(parts.fill(progress))
    while not filling.done():
        await asyncio.wait((filling,), timeout=_GLANCE)
        if not launch.running():
            filling.cancel()
            raise LocalStackError("the stack was stopped while it was starting")
    return filling.result()

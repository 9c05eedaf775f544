"""One supervised process: its start, its restarts, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from infra.local.stack.backoff import LONGEST, Backoff
from infra.local.stack.identity import Identity, identify
from infra.local.stack.log_file import last_lines, open_log
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.readiness import FirstLine, answers
from infra.local.stack.record import ProcessRecord


class ChildState(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class StartFailed(Exception):
    """A process ended, or stayed silent, before it was ready. The message is a sentence for people."""


class Child:
    """A process of the plan, in a session and process group of its own."""

    def __init__(
        self, plan: ProcessPlan, log: Path, *, changed: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.log = log
        self._changed = changed
        self._say = say
        self._state = ChildState.WAITING
        self._process: Process | None = None
        self._identity: Identity | None = None
        self._restarts = 0

    def record(self) -> ProcessRecord:
        """Return the state to show and to keep."""
        return ProcessRecord(self.plan.name, self._state, self.plan.port, self._restarts, self._identity)

    async def start(self) -> None:
        """Start the process and return when it is ready.

        Raises:
            StartFailed: it ended first, or was not ready in time; it is ended then.
        """
        self._enter(ChildState.STARTING)
        ready = await self._spawn()
        try:
            await self._until_ready(ready)
        except StartFailed:
            await self.stop()
            raise
        self._enter(ChildState.READY)
        self._say(f"{self.plan.name} is ready")

    async def keep_running(self) -> None:
        """Start the process again whenever it ends, until this is cancelled."""
        # A test that kills all the time does not want to wait.
        backoff = Backoff(float(os.environ.get("PODIUM_LONGEST_PAUSE", LONGEST)))
        clock = asyncio.get_running_loop().time
        while True:
            since = clock()
            self._say(f"{self.plan.name} ended {_how(await self._ended())}")
            while not await self._restart(backoff.delay(clock() - since)):
                since = clock()

    async def stop(self) -> None:
        """Ask the whole process group to end, end it by force after the grace period, and wait for that."""
        process = self._process
        if process is not None:
            _signal_group(process, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.plan.grace)
            await self._bury(process)
        self._enter(ChildState.STOPPED)

    async def _restart(self, delay: float) -> bool:
        self._enter(ChildState.RESTARTING)
        self._say(f"starting {self.plan.name} again in {delay:g} s")
        await asyncio.sleep(delay)
        self._restarts += 1
        try:
            await self.start()
        except StartFailed as failure:
            self._say(str(failure))
            return False
        return True

    async def _spawn(self) -> FirstLine | None:
        log = open_log(self.log)
        if self.plan.ready_url is not None:
            await self._run(output=log, errors=log, close=(log,))
            return None
        source, output = os.pipe()
        line = FirstLine(source, log)
        await self._run(output=output, errors=log, close=(output,))
        return line

    async def _run(self, *, output: int, errors: int, close: tuple[int, ...]) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command,
                stdin=DEVNULL,
                stdout=output,
                stderr=errors,
                env=self.plan.environment,
                cwd=self.plan.folder,
                start_new_session=True,
            )
        except OSError as error:
            raise StartFailed(f"{self.plan.name} cannot be started: {error}") from error
        finally:
            for descriptor in close:
                os.close(descriptor)
        self._identity = identify(self._process.pid)
        self._changed()

    async def _until_ready(self, line: FirstLine | None) -> None:
        assert self._process is not None
        ready = asyncio.ensure_future(line.seen() if line else answers(self.plan.ready_url or ""))
        ended = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait(
                (ready, ended), timeout=self.plan.ready_within, return_when=asyncio.FIRST_COMPLETED
            )
            if ready.done():
                ready.result()
                return
        finally:
            ready.cancel()
            ended.cancel()
        if self._process.returncode is not None:
            raise StartFailed(
                f"{self.plan.name} ended {_how(self._process.returncode)} while starting{self._last_words()}"
            )
        raise StartFailed(
            f"{self.plan.name} was not ready within {self.plan.ready_within:g} s{self._last_words()}"
        )

    async def _ended(self) -> int:
        assert self._process is not None
        await self._process.wait()
        # What it had started itself would keep its ports.
        return await self._bury(self._process)

    async def _bury(self, process: Process) -> int:
        _signal_group(process, signal.SIGKILL)
        code = await process.wait()
        # Its number may be given to a stranger from now on: forget it.
        self._process = None
        self._identity = None
        return code

    def _enter(self, state: ChildState) -> None:
        self._state = state
        self._changed()

    def _last_words(self) -> str:
        lines = last_lines(self.log, 1)
        return f"; its log ends with: {lines[0].strip()[:300]} (all of it: {self.log})" if lines else ""


def _signal_group(process: Process, number: signal.Signals) -> None:
    # The process leads a group of the same number.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _how(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    return f"by {signal.Signals(-code).name}"

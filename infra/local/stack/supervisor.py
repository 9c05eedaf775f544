"""The one process that owns all others.

It reads a plan from its standard input, starts the processes and reports on its standard output, a JSON
object a line. As long as the starter has not written ``keep``, the open input is a lifeline: when it
closes, because the starter failed, was interrupted or killed, everything is taken down again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from infra.local.stack.child import Child, StartFailed
from infra.local.stack.identity import Identity, identify
from infra.local.stack.log_file import rotate
from infra.local.stack.plan import Plan
from infra.local.stack.record import NAME, RunRecord, remove_record

KEEP = b"keep\n"
_LOOK_AT_FILES = 2.0


class Supervisor:
    """Runs one plan until it is told to stop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._itself = identify(os.getpid()) or Identity(os.getpid(), "")
        self._stop = asyncio.Event()
        self._watched = True
        self._children = {
            process.name: Child(process, self._log(process.name), changed=self._write_record, say=self._note)
            for process in plan.processes
        }

    async def run(self) -> None:
        """Start everything, keep it running, and end it all when asked to or when the start failed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_reader(sys.stdin.fileno(), self._hear)
        self._write_record()
        try:
            await self._until_stopped()
        except StartFailed as failure:
            self._note(str(failure))
            self._report({"event": "failed", "message": str(failure)})
        finally:
            await self._take_down()

    async def _until_stopped(self) -> None:
        stopped = asyncio.create_task(self._stop.wait())
        started = asyncio.create_task(self._start_all())
        try:
            await asyncio.wait((stopped, started), return_when=asyncio.FIRST_COMPLETED)
            if not started.done():
                return
            started.result()
            self._report({"event": "started"})
            chores = [asyncio.create_task(child.keep_running()) for child in self._children.values()]
            chores.append(asyncio.create_task(self._look_after_files()))
            try:
                # A chore never ends by itself; should one fail, stopping says so better than limping on.
                await asyncio.wait((stopped, *chores), return_when=asyncio.FIRST_COMPLETED)
                for chore in chores:
                    if chore.done():
                        chore.result()
            finally:
                await _cancel(*chores)
        finally:
            await _cancel(stopped, started)

    async def _start_all(self) -> None:
        ready = {name: asyncio.Event() for name in self._children}

        async def start(child: Child) -> None:
            for name in child.plan.after:
                await ready[name].wait()
            since = time.monotonic()
            await child.start()
            ready[child.plan.name].set()
            self._report(
                {"event": "ready", "process": child.plan.name, "seconds": round(time.monotonic() - since, 1)}
            )

        try:
            async with asyncio.TaskGroup() as group:
                for child in self._children.values():
                    group.create_task(start(child))
        except ExceptionGroup as failures:
            # Not `except*`: before Python 3.11.4 what that raises comes out as a group again.
            first = failures.exceptions[0]
            raise first from None

    async def _take_down(self) -> None:
        """Stop in waves: first what nothing else needs, last what everything stands on."""
        left = dict(self._children)
        while left:
            needed = {name for child in left.values() for name in child.plan.after}
            wave = [left.pop(name) for name in list(left) if name not in needed]
            await asyncio.gather(*(child.stop() for child in wave))
        remove_record(self._plan.state)

    async def _look_after_files(self) -> None:
        paths = [child.log for child in self._children.values()] + [self._log("supervisor")]
        while True:
            await asyncio.sleep(_LOOK_AT_FILES)
            for path in paths:
                with suppress(OSError):
                    rotate(path)
            if not (self._plan.state / NAME).exists():
                # Somebody deleted the state folder: nobody could stop this stack any more.
                self._stop.set()

    def _hear(self) -> None:
        heard = os.read(sys.stdin.fileno(), 64)
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        if heard == KEEP:
            self._watched = False
            _close_streams()
        else:
            self._stop.set()

    def _report(self, event: dict[str, object]) -> None:
        if self._watched:
            with suppress(OSError):
                os.write(sys.stdout.fileno(), (json.dumps(event) + "\n").encode())

    def _note(self, text: str) -> None:
        print(time.strftime("%Y-%m-%dT%H:%M:%S"), text, file=sys.stderr, flush=True)

    def _write_record(self) -> None:
        records = tuple(child.record() for child in self._children.values())
        record = RunRecord(self._plan.run_id, self._plan.stack_file, self._itself, records)
        record.write(self._plan.state)

    def _log(self, name: str) -> Path:
        return self._plan.state / "logs" / f"{name}.log"


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _close_streams() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _first_line() -> str:
    # Unbuffered: what follows the plan must stay in the pipe for the event loop.
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(sys.stdin.fileno(), 1)):
        line += byte
    return line.decode()


def main() -> None:
    """Run the plan given on standard input."""
    # Databases and logs are for their owner only, whoever writes them.
    os.umask(0o077)
    asyncio.run(Supervisor(Plan.decode(_first_line())).run())

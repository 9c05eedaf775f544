"""Starting the supervisor and following it until everything is ready."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from types import TracebackType

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import ROOT
from infra.local.stack.log_file import open_log
from infra.local.stack.plan import Plan
from infra.local.stack.private_file import private_folder
from infra.local.stack.progress import Progress
from infra.local.stack.supervisor import KEEP


class Launch:
    """A stack that is starting; unless :meth:`keep` was called, leaving the context takes it down again."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kept = False
        private_folder(plan.state)
        log = open_log(plan.state / "logs" / "supervisor.log")
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "infra.local.stack.supervise"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,
        )

    def wait(self, progress: Progress) -> None:
        """Hand over the plan and return when every process is ready.

        Raises:
            LocalStackError: a process could not be started; everything is down again then.
        """
        self._tell(self._plan.encode().encode() + b"\n")
        assert self._supervisor.stdout is not None
        failure = "the supervisor ended while starting; see logs/supervisor.log in the state folder"
        for line in self._supervisor.stdout:
            event = json.loads(line)
            if event["event"] == "started":
                return
            if event["event"] == "failed":
                failure = event["message"]
            else:
                progress.note(f"{event['process']} is ready ({event['seconds']} s)")
        self._supervisor.wait()
        raise LocalStackError(failure)

    def running(self) -> bool:
        """Return whether the supervisor still runs."""
        return self._supervisor.poll() is None

    def keep(self) -> None:
        """Let the stack live on without this process."""
        self._tell(KEEP)
        self._kept = True
        # The supervisor outlives this process on purpose.
        self._supervisor.returncode = 0

    def __enter__(self) -> Launch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._supervisor.stdin is not None
        assert self._supervisor.stdout is not None
        with suppress(BrokenPipeError):
            self._supervisor.stdin.close()
        if not self._kept:
            self._supervisor.stdout.read()
            self._supervisor.wait()
        self._supervisor.stdout.close()

    def _tell(self, message: bytes) -> None:
        assert self._supervisor.stdin is not None
        try:
            self._supervisor.stdin.write(message)
            self._supervisor.stdin.flush()
        except BrokenPipeError as error:
            raise LocalStackError("the stack was stopped while it was starting") from error

"""The npm CLI's ``verify``, as it is published."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.stack.client import installed_cli


class Cli(NamedTuple):
    """The command that starts it, and the folder that is its home."""

    command: tuple[str, ...]
    home: Path

    def report(self, folder: Path, *more: str) -> Any:
        """Return what ``verify use-case`` tells of a folder, as parsed."""
        said = self.home / "said.json"
        # To a file: what it writes into a pipe is cut off at its end.
        with said.open("w") as out:
            self.run("verify", "use-case", str(folder), "--json", *more, out=out)
        return json.loads(said.read_text(encoding="utf-8"))

    def run(self, *arguments: str, out: Any = subprocess.DEVNULL) -> int:
        """Run a command and return its exit code."""
        environment = {**os.environ, "HOME": str(self.home), "NO_COLOR": "1", "NODE_NO_WARNINGS": "1"}
        return subprocess.run(
            [*self.command, *arguments], env=environment, stdout=out, stderr=subprocess.DEVNULL, check=False
        ).returncode


def cli(home: Path) -> Cli:
    """Return the CLI, downloaded if it is not there yet."""
    home.mkdir(parents=True, exist_ok=True)
    return Cli(tuple(str(part) for part in installed_cli()), home)

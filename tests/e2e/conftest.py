"""One real stack for all end-to-end tests, and the npm CLI pointed at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT, RunningStack, start, stop


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = start(tmp_path_factory.mktemp("stack"), "--no-demo")
    yield running
    stop(running)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a CLI command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CodikaCli:
    """The unmodified CLI with a home of its own."""

    stack: RunningStack
    home: Path
    key: str

    def __call__(self, *arguments: str, key: str | None = None, stdin: str = "") -> Answer:
        done = subprocess.run(
            ["./podium", "codika", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "PODIUM_STATE": str(self.stack.state),
                "XDG_CONFIG_HOME": str(self.home),
                "CODIKA_API_KEY": key or self.key,
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=180,
            input=stdin,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def codika(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> CodikaCli:
    return CodikaCli(stack, tmp_path_factory.mktemp("cli-home"), stack.owner_key)


def deployed_example(codika: CodikaCli, folder: Path, name: str = "order-desk") -> Path:
    """Copy an example below ``folder``, deploy it as a project of its own, and return where it is."""
    use_case = folder / name
    shutil.copytree(ROOT / "examples" / name, use_case)
    assert codika("project", "create", "--name", name, "--path", str(use_case)).code == 0
    deployed = codika("deploy", "use-case", str(use_case), "--json")
    assert deployed.code == 0, deployed.out + deployed.err
    return use_case


def instance_of(folder: Path) -> str:
    """Return the id of a deployed use case's dev installation."""
    return str(json.loads((folder / "project.json").read_text())["devProcessInstanceId"])

"""Every command of the README works as it stands there, on a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.stack import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
TESTS = "make test\n"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tree as a clone would have it; only the environment is shared, to save its making."""
    folder = tmp_path_factory.mktemp("readme") / "podium"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    yield folder
    subprocess.run(["make", "down"], cwd=folder, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def test_the_first_two_commands_run_the_main_job_and_the_tests() -> None:
    assert BLOCKS[:2] == ["make up\n", TESTS]
    assert README.startswith("```sh\nmake up\n```")
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_every_command_of_the_readme_works(clone: Path) -> None:
    ports = {f"PODIUM_{name}": str(free_port()) for name in ("PORT", "N8N_PORT", "FIRESTORE_PORT")}
    ports |= {f"PODIUM_{name}": str(free_port()) for name in ("TASKS_PORT", "JWKS_PORT", "MAIL_PORT")}
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("CODIKA_", "MAKE"))} | ports
    for block in (block for block in BLOCKS if block != TESTS):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=clone,
            env=environ,
            capture_output=True,
            text=True,
            timeout=400,
            stdin=subprocess.DEVNULL,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{block}\n{said}"
        if block == BLOCKS[0]:
            assert "success after" in said
            assert "failed after" in said
            assert "in node 'Reserve Stock'" in said
        if "status/" in block:
            assert '"status":"success"' in said
        if "installProcessPublic" in block:
            assert '"deploymentStatus":"deployed"' in said
            assert '"drifted":false' in said
        if "functions-framework" in block:
            assert '"organizationName":"Atelier Nord"' in said

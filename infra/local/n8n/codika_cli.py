"""The codika command line, as its authors publish it."""

from __future__ import annotations

import json
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.n8n import versions
from infra.local.n8n.installation import N8nInstallation
from infra.local.n8n.npm import npm_install
from infra.local.n8n.stage import build_once, only_one


async def install_codika_cli(cache: Path, installation: N8nInstallation) -> Path:
    """Return the script to run with ``installation.node``; downloaded if it is not in ``cache``.

    Raises:
        LocalStackError: the download failed.
    """

    async def unpack(folder: Path) -> None:
        await npm_install(installation.node.parents[1], folder, f"codika@{versions.CODIKA_CLI}")

    async with only_one(cache, lambda: None):
        folder = await build_once(cache / f"codika-{versions.CODIKA_CLI}", unpack)
    return _script(folder / "node_modules/codika")


def _script(package: Path) -> Path:
    programs = json.loads((package / "package.json").read_text())["bin"]
    script = package / (programs if isinstance(programs, str) else programs["codika"])
    if not script.is_file():
        raise LocalStackError(f"the codika command line {versions.CODIKA_CLI} has no program {script.name}")
    return script

"""npm, for packages small enough for it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from infra.local.n8n.subprocesses import run


def npm_script(node: Path) -> Path:
    """Return npm's script inside the folder of Node."""
    return node / "lib/node_modules/npm/bin/npm-cli.js"


async def npm_install(node: Path, folder: Path, package: str) -> None:
    """Install one package, its scripts not run, into ``folder``.

    Raises:
        LocalStackError: the download failed.
    """
    cache = folder / ".npm"
    (folder / "package.json").write_text(json.dumps({"private": True}))
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts", "--no-update-notifier"]
    await run(
        [node / "bin/node", npm_script(node), "install", *quiet, package],
        doing=f"downloading {package} from the npm registry",
        cwd=folder,
        environment={"npm_config_cache": str(cache)},
    )
    await asyncio.to_thread(shutil.rmtree, cache, ignore_errors=True)

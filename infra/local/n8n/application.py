"""n8n itself: two thousand npm packages from the lock file, and one of them compiled."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.n8n import versions
from infra.local.n8n.npm import npm_script
from infra.local.n8n.stage import build_once
from infra.local.n8n.subprocesses import run

IMAGE = Path(__file__).parents[2] / "n8n" / "image"
"""The package list and lock file of n8n."""

Progress = Callable[[str, float | None], None]
"""Told what is being done, and how much of the whole is behind us (0 to 1; ``None`` when unknown)."""

_LAYOUT = ("--linker=hoisted", "--backend=hardlink")
_USELESS_AT_RUN_TIME = (".map", ".d.ts", ".d.mts", ".d.cts")
_SYSTEM_SQLITE = Path("/usr/include/sqlite3.h")


def application_folder(cache: Path) -> Path:
    """Return where n8n is or will be: another lock file or Node is another folder."""
    digest = hashlib.sha256(versions.NODE.encode())
    for name in ("package.json", "bun.lock"):
        digest.update((IMAGE / name).read_bytes())
    return cache / f"n8n-{versions.N8N}-{digest.hexdigest()[:8]}"


async def install_application(cache: Path, node: Path, bun: Path, progress: Progress) -> None:
    """Install n8n into :func:`application_folder`.

    Raises:
        LocalStackError: the download or the build failed.
    """

    async def build(folder: Path) -> None:
        progress(f"downloading n8n {versions.N8N} (1.3 GB on disk)", 0.1)
        await _unpack(folder, bun, cache / "bun-downloads")
        progress("compiling n8n's database driver", 0.75)
        await asyncio.gather(asyncio.to_thread(_trim, folder), _compile_sqlite(folder, node))
        await _try_sqlite(folder, node)

    await build_once(application_folder(cache), build)
    # Kept until here: what an interrupted download got is not fetched again.
    await asyncio.to_thread(shutil.rmtree, cache / "bun-downloads", ignore_errors=True)


def check_compilers() -> None:
    """Return if what the database driver is compiled with is there.

    Raises:
        LocalStackError: names what is missing.
    """
    tools = {"a C compiler": ("cc", "gcc"), "a C++ compiler": ("c++", "g++"), "make": ("make",)}
    missing = [what for what, names in tools.items() if not any(map(shutil.which, names))]
    if missing:
        raise LocalStackError(
            f"n8n's database driver is compiled during installation and {' and '.join(missing)} is missing; "
            "install it (Debian and Ubuntu: apt-get install build-essential), "
            "or give the address of an n8n you have (--n8n-url)"
        )


async def _unpack(folder: Path, bun: Path, downloads: Path) -> None:
    for name in ("package.json", "bun.lock"):
        shutil.copyfile(IMAGE / name, folder / name)
    options = [
        "--frozen-lockfile",
        "--ignore-scripts",
        "--linker=hoisted",
        "--omit=peer",
        "--backend=hardlink",
    ]
    await run(
        [bun, "install", *options],
        doing=f"downloading n8n {versions.N8N} from the npm registry",
        cwd=folder,
        environment={
            "BUN_INSTALL_CACHE_DIR": str(downloads),
            "BUN_CONFIG_NO_PROGRESS": "1",
            "NO_COLOR": "1",
        },
    )


def _trim(folder: Path) -> None:
    """Delete two thirds of the files: source maps and type declarations."""
    for place, _, names in os.walk(folder / "node_modules"):
        for name in names:
            if name.endswith(_USELESS_AT_RUN_TIME):
                Path(place, name).unlink()


async def _compile_sqlite(folder: Path, node: Path) -> None:
    """Build the one native module that comes without a binary."""
    gyp = npm_script(node).parents[1] / "node_modules/node-gyp/bin/node-gyp.js"
    options = ["--release", f"-j={os.cpu_count() or 1}", f"--nodedir={node}", *_system_library()]
    await run(
        [node / "bin/node", gyp, "rebuild", *options],
        doing="compiling n8n's database driver",
        cwd=folder / "node_modules/sqlite3",
        environment={"npm_config_python": sys.executable},
    )


def _system_library() -> list[str]:
    # With the system's library 10 s, with the bundled source two minutes.
    return ["--sqlite=/usr"] if _SYSTEM_SQLITE.exists() else []


async def _try_sqlite(folder: Path, node: Path) -> None:
    await run(
        [node / "bin/node", "-e", "new (require('sqlite3').Database)(':memory:')"],
        doing="loading n8n's database driver",
        cwd=folder,
    )

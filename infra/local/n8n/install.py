"""Installing n8n, unattended and only once."""

from __future__ import annotations

from pathlib import Path

from infra.local.n8n import versions
from infra.local.n8n.application import (
    Progress,
    application_folder,
    check_compilers,
    install_application,
)
from infra.local.n8n.bun import install_bun
from infra.local.n8n.installation import N8nInstallation
from infra.local.n8n.node import install_node
from infra.local.n8n.npm import npm_script
from infra.local.n8n.stage import is_complete, only_one


async def install(cache: Path, progress: Progress) -> N8nInstallation:
    """Return the installation in ``cache``, made now if it is not there: a minute and 1.3 GB.

    It may be interrupted at any point and called again; two processes do not disturb each other. When
    everything is there nothing is reported and it takes milliseconds.

    Raises:
        LocalStackError: a compiler is missing or a download failed; one sentence says what to do.
    """
    async with only_one(cache, lambda: progress("waiting for another installation to finish", None)):
        if not is_complete(application_folder(cache)):
            check_compilers()
            progress(f"downloading Node {versions.NODE}", 0.0)
            node = await install_node(cache)
            progress(f"downloading bun {versions.BUN}, which unpacks n8n", 0.05)
            bun = await install_bun(cache, node)
            await install_application(cache, node, bun, progress)
            progress("n8n is installed", 1.0)
        node = await install_node(cache)
        n8n = application_folder(cache) / "node_modules/n8n/bin/n8n"
    return N8nInstallation(
        node=node / "bin/node",
        npm=npm_script(node),
        n8n=n8n,
        compile_cache=cache / f"compiled-{versions.NODE}",
    )

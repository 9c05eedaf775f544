"""The node package's own tests, on the Node and the n8n libraries it will run with."""

from __future__ import annotations

from infra.local import n8n
from infra.local.n8n.node_package import SOURCE
from infra.local.n8n.subprocesses import run
from infra.local.stack.addresses import cache_folder


async def test_the_tests_of_the_node_package_pass() -> None:
    installation = await n8n.install(cache_folder(), lambda step, fraction: print(f"n8n: {step}"))
    libraries = installation.n8n.parents[2]
    await run(
        [installation.node, "--test", "test/*.test.js"],
        doing="testing the node package",
        cwd=SOURCE,
        environment={"NODE_PATH": str(libraries)},
    )

"""The HTTP address where the public keys of delivered tokens are."""

from __future__ import annotations

from aiohttp import web

from infra.local.tasks.identity import Identity

PATH = "/oauth2/v3/certs"
MAX_AGE_SECONDS = 3600


async def serve_certs(identity: Identity, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve the key set at :data:`PATH`; returns the runner to clean up and the port in use."""
    keys = identity.jwks()

    async def certs(_: web.Request) -> web.Response:
        return web.json_response(keys, headers={"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"})

    app = web.Application()
    app.router.add_get(PATH, certs)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, int(runner.addresses[0][1])

"""How n8n is started: command line and environment, for whoever supervises it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from infra.local.n8n.installation import N8nInstallation

HOST = "127.0.0.1"
Engine = Literal["legacy", "vm"]

# What a program needs of the machine. Nothing else of our own environment is handed on, for workflows
# run in this process.
_FROM_THE_MACHINE = (
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "SSL_CERT_FILE",
    "TMPDIR",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)

_QUIET = {
    "N8N_DIAGNOSTICS_ENABLED": "false",
    "N8N_DYNAMIC_BANNERS_ENABLED": "false",
    "N8N_HIRING_BANNER_ENABLED": "false",
    "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
    "N8N_PERSONALIZATION_ENABLED": "false",
    "N8N_TEMPLATES_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED": "false",
    "N8N_VERIFIED_PACKAGES_ENABLED": "false",
    # Calls out at start. Modules named otel must stay: without them every execution fails.
    "N8N_DISABLED_MODULES": "mcp-registry",
}

_SAFE = {
    # Workflows of several organizations share the process: its variables are none of their business.
    "N8N_BLOCK_ENV_ACCESS_IN_NODE": "true",
    "N8N_PYTHON_ENABLED": "false",
    "N8N_SECURE_COOKIE": "false",
}

_FITTING = {
    "DB_TYPE": "sqlite",
    "DB_SQLITE_POOL_SIZE": "3",
    "GENERIC_TIMEZONE": "UTC",
    "TZ": "UTC",
    # MiB; the platform accepts 30 MB and adds its own metadata.
    "N8N_PAYLOAD_SIZE_MAX": "32",
    "N8N_UNVERIFIED_PACKAGES_ENABLED": "true",
    # Seconds; longer work belongs into nodes, not into a Code node that blocks the runner.
    "N8N_RUNNERS_TASK_TIMEOUT": "60",
    # Seconds and ms. When n8n dies while it switches a workflow to another version, nothing more is
    # published of that workflow until this lease has run out; two minutes by default.
    "N8N_WORKFLOW_PUBLICATION_OUTBOX_LEASE_SECONDS": "20",
    "N8N_WORKFLOW_PUBLICATION_OUTBOX_POLL_INTERVAL_MS": "3000",
    # Whose finished runs are looked up later: 14 days, at most 10,000 runs.
    "EXECUTIONS_DATA_PRUNE": "true",
    "EXECUTIONS_DATA_MAX_AGE": "336",
}


def command(installation: N8nInstallation) -> tuple[str, ...]:
    """Return the command line of n8n's server."""
    return (str(installation.node), str(installation.n8n), "start")


def environment(
    installation: N8nInstallation,
    *,
    user_folder: Path,
    port: int,
    broker_port: int,
    encryption_key: str,
    codika_api_url: str,
    expression_engine: Engine = "legacy",
    concurrency: int = 20,
    public_url: str | None = None,
    machine: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the complete environment of an n8n that listens on the loopback address only.

    ``broker_port`` is for its JavaScript runner and must be free; ``concurrency`` is the number of webhook
    and trigger runs at a time (others wait); ``public_url`` is what webhook URLs begin with, if not the
    loopback address. The legacy expression engine takes a third of the CPU of the isolated one, and does
    not isolate: it is for a machine whose workflows are trusted.
    """
    address = (public_url or f"http://{HOST}:{port}").rstrip("/")
    return {
        **{name: machine[name] for name in _FROM_THE_MACHINE if name in machine},
        "PATH": installation.node_first(machine.get("PATH", "/usr/bin:/bin")),
        "NODE_COMPILE_CACHE": str(installation.compile_cache),
        **_QUIET,
        **_SAFE,
        **_FITTING,
        "N8N_USER_FOLDER": str(user_folder),
        "N8N_HOST": HOST,
        "N8N_LISTEN_ADDRESS": HOST,
        "N8N_PORT": str(port),
        "N8N_PROTOCOL": "http",
        "N8N_EDITOR_BASE_URL": f"{address}/",
        "N8N_WEBHOOK_URL": f"{address}/",
        "N8N_RUNNERS_BROKER_PORT": str(broker_port),
        "N8N_ENCRYPTION_KEY": encryption_key,
        "N8N_EXPRESSION_ENGINE": expression_engine,
        "N8N_CONCURRENCY_PRODUCTION_LIMIT": str(concurrency),
        "CODIKA_API_URL": codika_api_url.rstrip("/"),
    }


def readiness_url(base_url: str) -> str:
    """Return the URL that answers 200 when n8n serves; ``/healthz`` does so before its migrations."""
    return f"{base_url}/healthz/readiness"

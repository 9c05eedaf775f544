"""Where the parts of one local stack listen and keep their files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
PROJECT = "podium-local"
ROOT = Path(__file__).resolve().parents[3]
"""The project's folder."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a stack; the option that changes each is in :data:`OPTIONS`."""

    gateway: int = 8080
    n8n: int = 5680
    firestore: int = 8410
    tasks: int = 8420
    jwks: int = 8421
    mail: int = 8430


OPTIONS: Mapping[str, str] = {
    "gateway": "--port",
    "n8n": "--n8n-port",
    "firestore": "--firestore-port",
    "tasks": "--tasks-port",
    "jwks": "--jwks-port",
    "mail": "--mail-port",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """The addresses of one stack, as its parts and the bootstrap see them."""

    state: Path
    """Absolute folder of everything this stack keeps."""
    stack_file: Path
    ports: Ports
    n8n_url: str
    """Base URL of n8n, without trailing slash."""
    n8n_api_key: str = field(default="", repr=False)
    """Known from the moment n8n is prepared."""

    @property
    def base_url(self) -> str:
        """Return the base URL of the platform, without trailing slash."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def data(self) -> Path:
        """Return the folder of the databases."""
        return self.state / "data"

    @property
    def mailbox(self) -> Path:
        """Return the file of the mails that were sent."""
        return self.state / "mail" / "mailbox.jsonl"

    @property
    def smtp(self) -> str:
        """Return ``host:port`` of the server that catches mails."""
        return f"{HOST}:{self.ports.mail}"

    def environment(self) -> dict[str, str]:
        """Return what :func:`shared.settings.read_settings` and the Google clients need to find it."""
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{self.ports.firestore}",
            "TASKS_ENDPOINT": f"{HOST}:{self.ports.tasks}",
            "SECRETS_ENDPOINT": f"{HOST}:{self.ports.tasks}",
            "OIDC_CERTS_URL": f"http://{HOST}:{self.ports.jwks}/oauth2/v3/certs",
            "PUBLIC_BASE_URL": self.base_url,
            "TASKS_BASE_URL": self.base_url,
            "N8N_PRIVATE_HOSTS": "*",
            "EVENT_PRIVATE_HOSTS": "127.0.0.1,localhost",
        }


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of installed programs, shared by all stacks of this user."""
    if given := environ.get("PODIUM_CACHE"):
        return Path(given).expanduser().absolute()
    shared = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(shared).expanduser().absolute() / "podium"

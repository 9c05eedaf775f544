"""The parts a service works with, opened once per process."""

from __future__ import annotations

from dataclasses import dataclass

from shared.n8n.pool import N8nPool
from shared.settings import Settings
from shared.sources import Sources
from shared.store.blobs import Blobs
from shared.store.connect import connect
from shared.store.store import Store
from shared.tasks.oidc import TaskVerifier
from shared.tasks.queue import CloudTasksQueue
from shared.vault.secrets import GoogleSecretStore
from shared.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything a service may touch."""

    settings: Settings
    sources: Sources
    store: Store
    blobs: Blobs
    secrets: GoogleSecretStore
    vault: Vault
    queue: CloudTasksQueue
    verifier: TaskVerifier
    n8n: N8nPool

    async def close(self) -> None:
        """Close every connection."""
        await self.queue.close()
        await self.n8n.close()
        await self.secrets.aclose()
        await self.store.close()


def open_platform(settings: Settings, sources: Sources | None = None) -> Platform:
    """Return the platform described by ``settings``. Nothing is contacted before it is used."""
    store = connect(settings)
    secrets = GoogleSecretStore(settings.project, settings.secrets_endpoint)
    return Platform(
        settings=settings,
        sources=sources or Sources(),
        store=store,
        blobs=Blobs(store),
        secrets=secrets,
        vault=Vault(secrets),
        queue=CloudTasksQueue(
            project=settings.project,
            location=settings.location,
            base_url=settings.tasks_base_url,
            service_account_email=settings.tasks_service_account,
            endpoint=settings.tasks_endpoint,
        ),
        verifier=TaskVerifier(
            certs_url=settings.oidc_certs_url,
            audience=settings.tasks_base_url,
            service_account_email=settings.tasks_service_account,
        ),
        n8n=N8nPool(),
    )

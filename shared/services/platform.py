"""The parts a service works with, opened once per process and each on first use.

A function that never deploys loads no n8n client: the adapters are imported where they are opened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.settings import Settings
from shared.sources import Sources
from shared.store.blobs import Blobs
from shared.store.connect import connect
from shared.store.store import Store

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from shared.mail.configured import ConfiguredMailer
    from shared.model.configuration import Configuration
    from shared.n8n.pool import N8nPool
    from shared.oauth.client import OAuthClient
    from shared.outbound.post import Poster
    from shared.services.deployments.begin import Version
    from shared.services.lasting import Lasting
    from shared.services.ratelimits import RateLimits
    from shared.services.readiness import Readiness
    from shared.services.recent import Recent
    from shared.services.runs.room import Doors
    from shared.store.files import Files
    from shared.tasks.oidc import TaskVerifier
    from shared.tasks.queue import CloudTasksQueue
    from shared.vault.secrets import GoogleSecretStore
    from shared.vault.vault import Vault


MAIL_SECRET = "podium-mail"
"""The secret that says how mail is sent; :mod:`shared.mail.config` describes it."""


class Platform:
    """Everything a service may touch. Nothing is contacted before it is used."""

    def __init__(self, settings: Settings, sources: Sources) -> None:
        self.settings = settings
        self.sources = sources
        self._going_on: set[asyncio.Task[None]] = set()

    @cached_property
    def store(self) -> Store:
        """The documents."""
        return connect(self.settings)

    @cached_property
    def blobs(self) -> Blobs:
        """Content-addressed texts and files."""
        return Blobs(self.store)

    @cached_property
    def files(self) -> Files:
        """The contents of files, in pieces."""
        from shared.store.files import FirestoreFiles

        return FirestoreFiles(self.store)

    @cached_property
    def secrets(self) -> GoogleSecretStore:
        """Secret Manager, for the vault alone."""
        from shared.vault.secrets import GoogleSecretStore

        return GoogleSecretStore(self.settings.project, self.settings.secrets_endpoint)

    @cached_property
    def vault(self) -> Vault:
        """Key material, behind what may be done with it."""
        from shared.vault.vault import Vault

        return Vault(self.secrets, max_age=self.settings.vault_key_age)

    @cached_property
    def queue(self) -> CloudTasksQueue:
        """Where work waits."""
        from shared.tasks.queue import CloudTasksQueue

        return CloudTasksQueue(
            project=self.settings.project,
            location=self.settings.location,
            base_url=self.settings.tasks_base_url,
            service_account_email=self.settings.tasks_service_account,
            endpoint=self.settings.tasks_endpoint,
        )

    @cached_property
    def readiness(self) -> Readiness:
        """Whether what the platform needs can be reached."""
        from shared.services.readiness import Readiness

        return Readiness(self)

    @cached_property
    def verifier(self) -> TaskVerifier:
        """Tells the queue's calls from anybody's."""
        from shared.tasks.oidc import TaskVerifier

        return TaskVerifier(
            certs_url=self.settings.oidc_certs_url,
            audience=self.settings.tasks_base_url,
            service_account_email=self.settings.tasks_service_account,
        )

    @cached_property
    def limits(self) -> RateLimits:
        """How often whom calls, in this process."""
        from shared.services.ratelimits import RateLimits

        return RateLimits(self.settings)

    @cached_property
    def doors(self) -> Doors:
        """One lock per endpoint that limits its runs, in this process."""
        from shared.services.runs.room import Doors

        return Doors()

    @cached_property
    def noted(self) -> Recent:
        """What this process wrote down within the last minute: uses of keys, refusals, ends of runs."""
        from shared.services.recent import Recent

        return Recent(60)

    @cached_property
    def solvent(self) -> Recent:
        """Organizations that had credits for many more runs a moment ago."""
        from shared.services.recent import Recent

        return Recent(1)

    @cached_property
    def templates(self) -> Lasting[tuple[Configuration, dict[str, str]]]:
        """Contents of versions, parsed."""
        from shared.services.lasting import Lasting

        return Lasting(16)

    @cached_property
    def versions(self) -> Lasting[Version]:
        """Versions that are rolled out."""
        from shared.services.lasting import Lasting

        return Lasting(16)

    @cached_property
    def n8n(self) -> N8nPool:
        """Clients of any number of n8n servers."""
        from shared.n8n.pool import N8nPool
        from shared.outbound.reach import Reach

        return N8nPool(Reach(self.settings.n8n_private_hosts))

    @cached_property
    def poster(self) -> Poster:
        """Tells subscribers of events."""
        from shared.outbound.post import Poster
        from shared.outbound.reach import Reach

        return Poster(Reach(self.settings.event_private_hosts))

    @cached_property
    def oauth(self) -> OAuthClient:
        """Speaks to authorization servers."""
        from shared.oauth.client import OAuthClient
        from shared.outbound.reach import Reach

        return OAuthClient(Reach(self.settings.n8n_private_hosts))

    @cached_property
    def mailer(self) -> ConfiguredMailer:
        """Sends mail as the project is configured."""
        from shared.mail.configured import ConfiguredMailer

        return ConfiguredMailer(self._mail_configuration, self.sources)

    async def _mail_configuration(self) -> str:
        from shared.vault.boxed import Capability

        found = await self.secrets.access(MAIL_SECRET)
        return found.value.reveal(Capability("open the credentials that mail is sent with"))

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside what is answered now; it ends with the process at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._went_on)

    def _went_on(self, task: asyncio.Task[None]) -> None:
        self._going_on.discard(task)
        if not task.cancelled() and (failed := task.exception()) is not None:
            log.warning("what went on beside an answer failed: %s", type(failed).__name__)

    async def close(self) -> None:
        """Close every connection that was opened."""
        for task in (going_on := list(self._going_on)):
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
        if "queue" in self.__dict__:
            await self.queue.close()
        if "mailer" in self.__dict__:
            await self.mailer.close()
        if "oauth" in self.__dict__:
            await self.oauth.close()
        if "poster" in self.__dict__:
            await self.poster.close()
        if "n8n" in self.__dict__:
            await self.n8n.close()
        if "secrets" in self.__dict__:
            await self.secrets.aclose()
        if "store" in self.__dict__:
            await self.store.close()


def open_platform(settings: Settings, sources: Sources | None = None) -> Platform:
    """Return the platform described by ``settings``."""
    return Platform(settings, sources or Sources())

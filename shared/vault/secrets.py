"""The port to versioned secrets, and its adapter for Secret Manager."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import google_crc32c
import grpc.aio
from google.api_core.exceptions import (
    Conflict,
    FailedPrecondition,
    GoogleAPICallError,
    NotFound,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
)
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AddSecretVersionRequest,
    CreateSecretRequest,
    DestroySecretVersionRequest,
    DisableSecretVersionRequest,
    ListSecretVersionsRequest,
    Replication,
    SecretManagerServiceAsyncClient,
    SecretPayload,
    SecretVersion,
)
from google.cloud.secretmanager_v1 import Secret as SecretResource
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)

from shared.vault.boxed import Capability, Secret
from shared.vault.errors import SecretMissing, SecretsUnavailable

T = TypeVar("T")

_MAY_SEND = Capability("send key material to Secret Manager")
_TIMEOUT_SECONDS = 10.0
# Reads only: adding a version twice would leave a key nobody knows of.
_RETRY_READS = AsyncRetry(
    predicate=if_exception_type(ServiceUnavailable, ResourceExhausted), initial=0.1, timeout=_TIMEOUT_SECONDS
)


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One version of a secret and what it holds."""

    version: int
    value: Secret


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version of a secret, without its value."""

    version: int
    enabled: bool


class SecretStore(Protocol):
    """Secrets by name, each a list of versions counted from 1. All raise ``SecretsUnavailable``."""

    async def access(self, secret: str, version: int | None = None) -> SecretValue:
        """Return a version, by default the one added last.

        Raises:
            SecretMissing: it is absent, disabled or destroyed.
        """

    async def versions(self, secret: str) -> list[VersionState]:
        """Return all versions, newest first, also disabled and destroyed ones; none for an unknown secret."""

    async def add(self, secret: str, value: Secret) -> int:
        """Add a version, creating the secret when there is none, and return its number."""

    async def disable(self, secret: str, version: int) -> None:
        """Make a version inaccessible, reversibly. Raises ``SecretMissing`` when absent or destroyed."""

    async def destroy(self, secret: str, version: int) -> None:
        """Erase a version for good. Raises ``SecretMissing`` when absent or destroyed already."""


class GoogleSecretStore:
    """Secret Manager of one Google Cloud project, or a server that speaks its protocol."""

    def __init__(self, project: str, endpoint: str | None = None) -> None:
        """Use ``project`` at ``endpoint`` (``host:port``, plaintext); ``None`` means Google's.

        No connection is made before the first call, which must come from the process's event loop.
        """
        self._parent = f"projects/{project}"
        self._endpoint = endpoint
        self._client: SecretManagerServiceAsyncClient | None = None

    async def access(self, secret: str, version: int | None = None) -> SecretValue:
        """See :meth:`SecretStore.access`. A payload that fails its checksum is ``SecretsUnavailable``."""
        request = AccessSecretVersionRequest(name=self._version_name(secret, version or "latest"))
        answer = await _answer(
            self._connected().access_secret_version(request, retry=_RETRY_READS, timeout=_TIMEOUT_SECONDS),
            SecretMissing(secret, version),
        )
        if google_crc32c.value(answer.payload.data) != answer.payload.data_crc32c:
            raise SecretsUnavailable("the payload arrived damaged")
        return SecretValue(_number(answer.name), Secret(answer.payload.data))

    async def versions(self, secret: str) -> list[VersionState]:
        """See :meth:`SecretStore.versions`."""
        try:
            return await _answer(self._list(secret), SecretMissing(secret))
        except SecretMissing:
            return []

    async def _list(self, secret: str) -> list[VersionState]:
        request = ListSecretVersionsRequest(parent=self._name(secret), page_size=1000)
        pages = await self._connected().list_secret_versions(
            request, retry=_RETRY_READS, timeout=_TIMEOUT_SECONDS
        )
        enabled = SecretVersion.State.ENABLED
        listed = [VersionState(_number(v.name), v.state == enabled) async for v in pages]
        return sorted(listed, key=lambda state: state.version, reverse=True)

    async def add(self, secret: str, value: Secret) -> int:
        """See :meth:`SecretStore.add`."""
        try:
            return await self._add(secret, value)
        except SecretMissing:
            await self._create(secret)
        return await self._add(secret, value)

    async def _add(self, secret: str, value: Secret) -> int:
        added = await _answer(
            self._connected().add_secret_version(
                AddSecretVersionRequest(parent=self._name(secret), payload=_payload(value)),
                timeout=_TIMEOUT_SECONDS,
            ),
            SecretMissing(secret),
        )
        return _number(added.name)

    async def _create(self, secret: str) -> None:
        request = CreateSecretRequest(
            parent=self._parent,
            secret_id=secret,
            secret=SecretResource(replication=Replication(automatic=Replication.Automatic())),
        )
        await _answer(self._create_once(request), SecretMissing(secret))

    async def _create_once(self, request: CreateSecretRequest) -> None:
        try:
            await self._connected().create_secret(request, timeout=_TIMEOUT_SECONDS)
        except Conflict:
            return  # another process was first, which is as good

    async def disable(self, secret: str, version: int) -> None:
        """See :meth:`SecretStore.disable`."""
        request = DisableSecretVersionRequest(name=self._version_name(secret, version))
        call = self._connected().disable_secret_version(request, timeout=_TIMEOUT_SECONDS)
        await _answer(call, SecretMissing(secret, version))

    async def destroy(self, secret: str, version: int) -> None:
        """See :meth:`SecretStore.destroy`."""
        request = DestroySecretVersionRequest(name=self._version_name(secret, version))
        call = self._connected().destroy_secret_version(request, timeout=_TIMEOUT_SECONDS)
        await _answer(call, SecretMissing(secret, version))

    async def aclose(self) -> None:
        """Close the connection, if one was made."""
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]  # generated, not annotated
            self._client = None

    def _connected(self) -> SecretManagerServiceAsyncClient:
        if self._client is None:
            try:
                self._client = _client(self._endpoint)
            except GoogleAuthError as error:
                raise SecretsUnavailable(type(error).__name__) from error
        return self._client

    def _name(self, secret: str) -> str:
        return f"{self._parent}/secrets/{secret}"

    def _version_name(self, secret: str, version: int | str) -> str:
        return f"{self._name(secret)}/versions/{version}"


def _client(endpoint: str | None) -> SecretManagerServiceAsyncClient:
    if endpoint is None:
        return SecretManagerServiceAsyncClient()
    # An endpoint option alone would still ask for TLS and credentials; a given channel asks for neither.
    channel = grpc.aio.insecure_channel(endpoint)
    return SecretManagerServiceAsyncClient(
        transport=SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
    )


def _payload(value: Secret) -> SecretPayload:
    data = value.reveal_bytes(_MAY_SEND)
    return SecretPayload(data=data, data_crc32c=google_crc32c.value(data))


def _number(name: str) -> int:
    return int(name.rsplit("/", 1)[1])


async def _answer(call: Awaitable[T], missing: SecretMissing) -> T:
    failure: SecretMissing | SecretsUnavailable
    try:
        return await call
    except (NotFound, FailedPrecondition):
        failure = missing
    except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
        failure = SecretsUnavailable(type(error).__name__)
    # Raised out here, without the cause: its frames hold the request, and with it key material.
    raise failure

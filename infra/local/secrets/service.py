"""The methods of google.cloud.secretmanager.v1.SecretManagerService.

The IAM methods are absent on purpose: gRPC answers UNIMPLEMENTED. Whoever reaches the port is trusted,
which is why it is bound to the loopback address.
"""

from __future__ import annotations

import re

import google_crc32c
from google.cloud.secretmanager_v1.types import resources
from google.cloud.secretmanager_v1.types import service as service_types
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from infra.local.secrets import names, secret_settings
from infra.local.secrets.sealing import Seal
from infra.local.secrets.store import SecretStore, StoredSecret, StoredVersion, VersionState
from infra.local.tasks.rpc import exists, forbidden_state, invalid, not_found
from infra.local.tasks.times import Clock, put

Secret = resources.Secret.pb()
SecretVersion = resources.SecretVersion.pb()
AccessSecretVersionResponse = service_types.AccessSecretVersionResponse.pb()
ListSecretsResponse = service_types.ListSecretsResponse.pb()
ListSecretVersionsResponse = service_types.ListSecretVersionsResponse.pb()

MAX_PAYLOAD_BYTES = 64 * 1024
DEFAULT_PAGE = 100
MAX_PAGE = 25_000
_LAST = 2**62
_SEAL_CHECK = "the master key"

_STATE_FILTER = re.compile(r"\s*state\s*[:=]\s*\"?(ENABLED|DISABLED|DESTROYED)\"?\s*")


def check_master_key(store: SecretStore, seal: Seal) -> None:
    """Make sure that the master key is the one the stored payloads were sealed with.

    Raises :class:`WrongMasterKey` otherwise: a server that went on would mix two keys.
    """
    sealed = store.seal_check()
    if sealed is None:
        store.put_seal_check(seal.close(_SEAL_CHECK, b""))
    else:
        seal.open(_SEAL_CHECK, sealed)


class SecretManager:
    """Secrets and versions over gRPC; every method raises :class:`Refusal` for what it refuses."""

    def __init__(self, store: SecretStore, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock

    async def CreateSecret(self, request: Message) -> Message:
        """Create a secret without versions."""
        name = names.new_secret(request.parent, request.secret_id)
        message = secret_settings.created(name, request.secret)
        if not self._store.insert(request.parent, name, message.SerializeToString(), self._clock()):
            raise exists(f"Secret [{name}] already exists.")
        return _secret(self._found(name))

    async def GetSecret(self, request: Message) -> Message:
        """Return a secret without any payload."""
        return _secret(self._found(names.secret(request.name)))

    async def ListSecrets(self, request: Message) -> Message:
        """Return a page of secrets, newest first."""
        parent = names.parent(request.parent)
        if request.filter:
            raise invalid("The local Secret Manager lists secrets without a filter only.")
        size = _page_size(request)
        found = self._store.page(parent, _before(request), size + 1)
        page = found[:size]
        response = ListSecretsResponse(
            secrets=[_secret(row) for row in page], total_size=self._store.count(parent)
        )
        if len(found) > size:
            response.next_page_token = str(page[-1].id)
        return response

    async def UpdateSecret(self, request: Message) -> Message:
        """Change labels, annotations or version aliases."""
        stored = self._found(names.secret(request.secret.name))
        _check_etag(request.secret.etag, stored.etag)
        message = secret_settings.updated(
            Secret.FromString(stored.message), request.secret, request.update_mask
        )
        self._store.replace(stored.id, message.SerializeToString())
        return _secret(self._found(stored.name))

    async def DeleteSecret(self, request: Message) -> Message:
        """Delete a secret with all its versions."""
        stored = self._found(names.secret(request.name))
        _check_etag(request.etag, stored.etag)
        self._store.delete(stored.id)
        return empty_pb2.Empty()

    async def AddSecretVersion(self, request: Message) -> Message:
        """Add an enabled version, the newest."""
        stored = self._found(names.secret(request.parent))
        payload = request.payload
        if not payload.data:
            raise invalid("Secret Payload cannot be empty.")
        if len(payload.data) > MAX_PAYLOAD_BYTES:
            raise invalid(f"The payload is too large: at most {MAX_PAYLOAD_BYTES} bytes.")
        checked = payload.HasField("data_crc32c")
        if checked and payload.data_crc32c != google_crc32c.value(payload.data):
            raise invalid("The payload does not fit its checksum data_crc32c.")
        number = stored.newest + 1
        version = StoredVersion(stored.id, number, 1, VersionState.ENABLED, self._clock(), 0, checked)
        self._store.add_version(version, self._seal.close(_version_name(stored, number), payload.data))
        return _version(stored, version)

    async def GetSecretVersion(self, request: Message) -> Message:
        """Return a version without its payload."""
        return _version(*self._version(request.name))

    async def AccessSecretVersion(self, request: Message) -> Message:
        """Return the payload of an enabled version, with its checksum."""
        stored, version = self._version(request.name)
        name = _version_name(stored, version.number)
        sealed = self._store.sealed(stored.id, version.number)
        if version.state != VersionState.ENABLED or sealed is None:
            raise forbidden_state(f"Secret Version [{name}] is in {version.state.name} state.")
        data = self._seal.open(name, sealed)
        response = AccessSecretVersionResponse(name=name)
        response.payload.data = data
        # Computed, not stored: the checksum of a short secret would tell the secret.
        response.payload.data_crc32c = google_crc32c.value(data)
        return response

    async def ListSecretVersions(self, request: Message) -> Message:
        """Return a page of versions, newest first; the filter ``state:X`` is understood."""
        stored = self._found(names.secret(request.parent))
        size = _page_size(request)
        state = _wanted_state(request.filter)
        found = self._store.versions(stored.id, _before(request), state, size + 1)
        page = found[:size]
        response = ListSecretVersionsResponse(
            versions=[_version(stored, version) for version in page],
            total_size=self._store.count_versions(stored.id, state),
        )
        if len(found) > size:
            response.next_page_token = str(page[-1].number)
        return response

    async def EnableSecretVersion(self, request: Message) -> Message:
        """Make a version accessible again."""
        return self._set_state(request, VersionState.ENABLED)

    async def DisableSecretVersion(self, request: Message) -> Message:
        """Make a version inaccessible; its payload stays."""
        return self._set_state(request, VersionState.DISABLED)

    async def DestroySecretVersion(self, request: Message) -> Message:
        """Wipe a version's payload; nothing brings it back."""
        stored, version = self._changeable(request)
        self._store.destroy(version, self._clock())
        return _version(*self._version(_version_name(stored, version.number)))

    def _set_state(self, request: Message, state: VersionState) -> Message:
        stored, version = self._changeable(request)
        self._store.set_state(version, state)
        return _version(*self._version(_version_name(stored, version.number)))

    def _changeable(self, request: Message) -> tuple[StoredSecret, StoredVersion]:
        if not names.version(request.name)[1].isdecimal():
            raise invalid("A version is changed by its number only, not by an alias.")
        stored, version = self._version(request.name)
        _check_etag(request.etag, version.etag)
        if version.state == VersionState.DESTROYED:
            name = _version_name(stored, version.number)
            raise forbidden_state(f"Secret Version [{name}] is in DESTROYED state.")
        return stored, version

    def _found(self, name: str) -> StoredSecret:
        stored = self._store.get(name)
        if stored is None:
            raise not_found(f"Secret [{name}] not found.")
        return stored

    def _version(self, name: str) -> tuple[StoredSecret, StoredVersion]:
        secret, which = names.version(name)
        stored = self._found(secret)
        version = self._store.version(stored.id, _number(stored, which))
        if version is None:
            raise not_found(f"Secret Version [{name}] not found.")
        return stored, version


def _number(stored: StoredSecret, which: str) -> int:
    if which == names.LATEST:
        return stored.newest
    if which.isdecimal():
        return min(int(which), _LAST)
    return int(Secret.FromString(stored.message).version_aliases.get(which, 0))


def _secret(stored: StoredSecret) -> Message:
    message = Secret.FromString(stored.message)
    message.etag = _etag(stored.etag)
    put(message.create_time, stored.created)
    return message


def _version(stored: StoredSecret, version: StoredVersion) -> Message:
    message = SecretVersion(
        name=_version_name(stored, version.number),
        state=version.state,
        etag=_etag(version.etag),
        client_specified_payload_checksum=version.checked,
    )
    put(message.create_time, version.created)
    if version.destroyed:
        put(message.destroy_time, version.destroyed)
    return message


def _version_name(stored: StoredSecret, number: int) -> str:
    return f"{stored.name}/versions/{number}"


def _etag(revision: int) -> str:
    return f'"{revision:x}"'


def _check_etag(given: str, revision: int) -> None:
    if given and given != _etag(revision):
        raise forbidden_state("The etag provided does not match the current etag of the resource.")


def _page_size(request: Message) -> int:
    if request.page_size < 0:
        raise invalid("page_size must not be negative.")
    return min(request.page_size or DEFAULT_PAGE, MAX_PAGE)


def _before(request: Message) -> int:
    if not request.page_token:
        return _LAST
    if not request.page_token.isdecimal():
        raise invalid("page_token is malformed.")
    return min(int(request.page_token), _LAST)


def _wanted_state(text: str) -> VersionState | None:
    if not text:
        return None
    match = _STATE_FILTER.fullmatch(text)
    if match is None:
        raise invalid("The local Secret Manager understands only filters of the form 'state:ENABLED'.")
    return VersionState[match[1]]

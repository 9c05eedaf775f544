"""The vault: seals secrets for storage, opens them again, and authenticates messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import final

from shared.vault.boxed import Sealed, Secret
from shared.vault.ciphercache import CipherCache
from shared.vault.context import Context
from shared.vault.errors import CannotOpen, DecryptionFailed, SecretMissing
from shared.vault.held import Clock
from shared.vault.keyring import KeyKind, KeyRing, KeyVersion
from shared.vault.mac import MacKey, generate_root, read_root
from shared.vault.rsakey import RsaKey, generate_pem
from shared.vault.sealing import Opening, Parts, binding, reseal, seal, take_apart
from shared.vault.secrets import SecretStore
from shared.vault.transport import Envelope, open_envelope, read_envelope

STORAGE = "storage"
TRANSPORT_SECRET = "podium-transport-key"
STORAGE_SECRET = "podium-storage-key"
MAC_SECRET = "podium-mac-key"


@final
class Vault:
    """All key material of a process, behind what may be done with it.

    Every method may raise ``SecretMissing`` when the project has no keys yet, and ``SecretsUnavailable``
    when a key is not loaded yet and Secret Manager does not answer.
    """

    def __init__(
        self,
        store: SecretStore,
        *,
        cached_data_keys: int = 1024,
        max_age: timedelta = timedelta(minutes=15),
        clock: Clock = time.monotonic,
    ) -> None:
        """Use the keys in ``store``.

        ``cached_data_keys`` bounds the cache of unwrapped data keys; 0 turns it off. ``max_age`` is how
        long a new or disabled key version may go unseen by this process.
        """
        seconds = max_age.total_seconds()
        rsa = KeyKind(generate_pem, RsaKey.from_pem)
        self._storage = KeyRing(STORAGE_SECRET, rsa, store, max_age=seconds, clock=clock)
        self._transport = KeyRing(TRANSPORT_SECRET, rsa, store, max_age=seconds, clock=clock)
        roots = KeyKind(generate_root, read_root)
        self._macs = KeyRing(MAC_SECRET, roots, store, max_age=seconds, clock=clock)
        self._ciphers = CipherCache(cached_data_keys)
        self._mac_keys: dict[str, tuple[list[KeyVersion[Secret]], MacKey]] = {}

    async def ensure_keys(self) -> None:
        """Create what is missing of the three secrets. Safe to repeat and to race."""
        for ring in (self._storage, self._transport, self._macs):
            await ring.ensure()

    async def seal(self, plaintext: str | bytes | Secret, context: Context) -> Sealed:
        """Return the plaintext encrypted for storage, openable only under this context."""
        boxed = plaintext if isinstance(plaintext, Secret) else Secret(plaintext)
        del plaintext
        return seal(STORAGE, await self._storage.current(), boxed, context)

    async def open(self, sealed: Sealed, context: Context) -> Secret:
        """Return what was sealed under this context.

        Raises:
            CannotOpen: it was sealed under another context, altered, or its key version was retired.
        """
        return await self._open(take_apart(sealed), context)

    async def _open(self, parts: Parts, context: Context) -> Secret:
        if parts.ring != STORAGE:
            raise CannotOpen
        bound = binding(STORAGE, parts.version, context)
        # Asked for before the cache is: a retired version opens nothing, cached or not.
        key = await _version(self._storage, parts.version)
        cipher = self._ciphers.get(parts.wrapped, bound, key)
        plaintext = cipher and cipher.decrypt(parts.iv, parts.ciphertext, bound)
        if plaintext is None:
            raise CannotOpen
        return plaintext

    async def reseal(self, secrets: Sequence[tuple[Sealed, Context]]) -> list[Sealed | CannotOpen | None]:
        """Return each secret under the current key version, ``None`` for those that are so already.

        In place of a secret that :meth:`open` refuses stands the error. The work is done in one thread: the
        private key's part of it leaves the interpreter to others. Data keys opened here are not cached.
        """
        current = await self._storage.current()
        anew: list[Sealed | CannotOpen | None] = [None] * len(secrets)
        old: dict[int, Opening] = {}
        for place, (sealed, context) in enumerate(secrets):
            try:
                parts = take_apart(sealed)
                if parts.version != current.number:
                    old[place] = await self._opening(parts, context)
            except CannotOpen as refused:
                anew[place] = refused
        resealed = await asyncio.to_thread(reseal, STORAGE, current, list(old.values())) if old else []
        for place, outcome in zip(old, resealed, strict=True):
            anew[place] = outcome or CannotOpen()
        return anew

    async def _opening(self, parts: Parts, context: Context) -> Opening:
        if parts.ring != STORAGE:
            raise CannotOpen
        return Opening(parts, context, await _version(self._storage, parts.version))

    async def open_transport(self, envelope_json: str) -> Secret:
        """Return what a client encrypted to one of our public keys, newest first (api §6).

        Raises:
            DecryptionFailed: the envelope is malformed, altered, or for a key that is not ours.
        """
        envelope = read_envelope(envelope_json)
        plaintext = await self._try_transport_keys(envelope)
        if plaintext is None and await self._transport.look_again():
            plaintext = await self._try_transport_keys(envelope)
        if plaintext is None:
            raise DecryptionFailed
        return plaintext

    async def _try_transport_keys(self, envelope: Envelope) -> Secret | None:
        opened = (open_envelope(envelope, version.key) for version in await self._transport.live())
        return next((plaintext for plaintext in opened if plaintext is not None), None)

    async def public_key_pem(self) -> bytes:
        """Return the public key that clients encrypt to, as SPKI PEM."""
        return (await self._transport.current()).key.public_pem

    async def mac_key(self, purpose: str) -> MacKey:
        """Return the loaded key of a purpose. Ask for it per request: it follows rotation then."""
        versions = await self._macs.live()
        held = self._mac_keys.get(purpose)
        if held is None or held[0] != versions:
            held = (versions, MacKey(purpose, [version.key for version in versions]))
            self._mac_keys[purpose] = held  # unbounded: purposes are constants of the code
        return held[1]

    async def mac(self, purpose: str, message: bytes) -> bytes:
        """Return the 32 byte tag of a message. A tag of one purpose never verifies for another."""
        return (await self.mac_key(purpose)).sign(message)

    async def verify_mac(self, purpose: str, message: bytes, tag: bytes) -> bool:
        """Return whether the tag belongs to message and purpose, under any live key version."""
        if (await self.mac_key(purpose)).verify(message, tag):
            return True
        # The tag may come from a process that has seen a newer key than this one.
        return await self._macs.look_again() and (await self.mac_key(purpose)).verify(message, tag)

    async def storage_version(self) -> int:
        """Return the number of the key version that secrets are sealed with."""
        return (await self._storage.current()).number

    async def retire_storage_keys(self) -> list[int]:
        """Disable every storage key version older than the current one; return their numbers.

        What is still sealed with one of them opens no more. Reversible in Secret Manager.
        """
        return await self._storage.retire()

    async def rotate_storage_key(self) -> int:
        """Add a storage key version, seal with it from now on, and return its number."""
        return await self._storage.rotate()

    async def rotate_transport_key(self) -> int:
        """Add a transport key version, publish it from now on, and return its number."""
        return await self._transport.rotate()

    async def rotate_mac_key(self) -> int:
        """Add an authentication key version, sign with it from now on, and return its number."""
        return await self._macs.rotate()


async def _version(ring: KeyRing[RsaKey], number: int) -> RsaKey:
    try:
        return (await ring.at(number)).key
    except SecretMissing:
        pass
    raise CannotOpen

"""An RSA key that wraps data keys with OAEP."""

from __future__ import annotations

from typing import final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shared.vault.boxed import Capability, Secret

_BITS = 3072
_MAY_USE = Capability("wrap data keys and read private keys")


@final
class RsaKey:
    """A private key and its public half. OAEP and MGF1 use SHA-256."""

    __slots__ = ("_private", "_public", "public_pem")

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        self.public_pem = self._public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        """The public half as SPKI PEM."""

    @classmethod
    def from_pem(cls, pem: Secret, *, validate: bool = False) -> RsaKey:
        """Return the key of a PEM.

        Validation takes 100 ms and more, so it belongs to the moment a key is created, not to every
        process that loads it.

        Raises:
            ValueError: the PEM holds no RSA private key, or an invalid one.
        """
        key = load_pem_private_key(
            pem.reveal_bytes(_MAY_USE), None, unsafe_skip_rsa_key_validation=not validate
        )
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("not an RSA private key")
        return cls(key)

    def wrap(self, data_key: Secret, label: bytes = b"") -> bytes:
        """Return the data key encrypted to the public half, bound to ``label``."""
        return self._public.encrypt(data_key.reveal_bytes(_MAY_USE), _oaep(label))

    def unwrap(self, wrapped: bytes, label: bytes = b"") -> Secret | None:
        """Return the data key, or ``None`` when it was not wrapped for this key and label."""
        try:
            return Secret(self._private.decrypt(wrapped, _oaep(label)))
        except ValueError:
            return None


def generate_pem() -> Secret:
    """Return a new, validated private key as PKCS 8 PEM. Takes seconds of CPU: call it in a thread."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    pem = Secret(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    RsaKey.from_pem(pem, validate=True)
    return pem


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)

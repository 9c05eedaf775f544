"""What the vault raises.

PlatformError
├── InvalidRequest
│   └── DecryptionFailed      400   a client's envelope was not encrypted to one of our keys
└── Internal
    ├── CannotOpen            500   a stored ciphertext does not open here; never says why
    ├── SecretMissing         500   a secret or version is absent, disabled or destroyed
    └── SecretsUnavailable    500   Secret Manager refused or did not answer
"""

from __future__ import annotations

from shared.errors import Internal, InvalidRequest


class DecryptionFailed(InvalidRequest):
    """An encrypted value of a request cannot be decrypted; the message names the client's remedy."""

    default_code = "DECRYPTION_FAILED"

    def __init__(self) -> None:
        super().__init__(
            "The encrypted value cannot be decrypted with a key of this platform. Set CODIKA_PUBLIC_KEY_URL "
            "to <base URL of this platform>/encryption/public.pem and encrypt it again."
        )


class CannotOpen(Internal):
    """A stored secret does not open. One message for every cause, so that it tells a forger nothing."""

    def __init__(self) -> None:
        super().__init__("A stored secret could not be opened. Store it again.")


class SecretMissing(Internal):
    """A secret, or the version asked for, is absent, disabled or destroyed."""

    def __init__(self, secret: str, version: int | None = None) -> None:
        which = secret if version is None else f"{secret}, version {version}"
        super().__init__(f"Secret Manager holds no usable {which}. Create the keys of this project first.")


class SecretsUnavailable(Internal):
    """Secret Manager refused or did not answer; nothing is known about the secret. Worth a retry."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Secret Manager could not be used ({reason}).")

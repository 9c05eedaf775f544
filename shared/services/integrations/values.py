"""The values an integration is connected with, opened and complete (api §5.15, §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import InvalidRequest
from shared.model.document import Document
from shared.model.integrations import Definition, Holder, SecretField
from shared.services.platform import Platform
from shared.services.secrets import integration_secret
from shared.vault.boxed import Capability, Secret
from shared.vault.errors import DecryptionFailed

_MAY_CONNECT = Capability("hand an integration's secrets to n8n")
_SHORTEST_HIDDEN = 5
_LARGEST_SECRET = 64 * 1024
_LARGEST_TOTAL = 256 * 1024
"""Bytes; what is stored is larger by a half and has to fit a document."""


class SentSecret(Document):
    """One secret as it was sent: ``value`` is the client's envelope."""

    value: str
    encrypted: bool = False
    description: str | None = None

    def __repr__(self) -> str:
        return "SentSecret(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Values:
    """Secrets in their boxes, and the metadata fields, by key."""

    secrets: Mapping[str, Secret] = field(repr=False)
    metadata: Mapping[str, str]

    def reveal(self) -> dict[str, str]:
        """Return every value in clear. Callers pass them on at once and keep them nowhere."""
        revealed = {name: secret.reveal(_MAY_CONNECT) for name, secret in self.secrets.items()}
        return {**self.metadata, **revealed}

    def hide_in(self, text: str) -> str:
        """Return the text without any secret, but for those too short to be told from other words."""
        secrets = (secret.reveal(_MAY_CONNECT) for secret in self.secrets.values())
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "…") if len(secret) > _SHORTEST_HIDDEN else text
        return text

    async def sealed(self, platform: Platform, holder: Holder, integration_id: str) -> dict[str, str]:
        """Return the stored form of the secrets."""
        return {
            name: (await platform.vault.seal(secret, integration_secret(holder, integration_id, name))).text
            for name, secret in self.secrets.items()
        }


async def open_values(
    platform: Platform,
    definition: Definition,
    secrets: Mapping[str, SentSecret],
    metadata: Mapping[str, object],
) -> Values:
    """Return the values of a definition's fields; others are ignored unopened.

    Raises:
        InvalidRequest: a required value is missing, or too large; the message names it.
        InvalidRequest (``PLAINTEXT_SECRET``): a secret was sent in clear (decision 10).
        DecryptionFailed: a secret was not encrypted to this platform's key.
    """
    for name, sent in secrets.items():
        require_encrypted(platform, name, sent)
    fields = {field.key: field for field in definition.secrets}
    opened = {name: await open_sent(platform, sent) for name, sent in secrets.items() if name in fields}
    sizes = {name: len(secret.reveal_bytes(_MAY_CONNECT)) for name, secret in opened.items()}
    _require(definition, definition.secrets, [name for name, size in sizes.items() if size], "secret")
    for name, size in sizes.items():
        if size > _LARGEST_SECRET:
            raise InvalidRequest(f"The secret {name} is larger than 64 KiB.", field=name)
    if sum(sizes.values()) > _LARGEST_TOTAL:
        raise InvalidRequest("The secrets are larger than 256 KiB together.", field="secrets")
    texts = {field.key: _text(metadata.get(field.key)) for field in definition.metadata}
    given = {name: text for name, text in texts.items() if text}
    _require(definition, definition.metadata, list(given), "metadata field")
    return Values({name: secret for name, secret in opened.items() if sizes[name]}, given)


def require_encrypted(platform: Platform, name: str, sent: SentSecret) -> None:
    """Refuse a secret that came in clear.

    Raises:
        InvalidRequest (``PLAINTEXT_SECRET``)
    """
    if not sent.encrypted:
        raise InvalidRequest(
            f"The secret {name} was not encrypted. Encrypt it with the key at "
            f"{platform.settings.base_url}/encryption/public.pem; change it, for it was sent in clear.",
            code="PLAINTEXT_SECRET",
            field=name,
        )


async def open_sent(platform: Platform, sent: SentSecret) -> Secret:
    """Return what a client encrypted.

    Raises:
        DecryptionFailed: it was not encrypted to this platform's key.
    """
    try:
        return await platform.vault.open_transport(sent.value)
    except DecryptionFailed as error:
        address = f"{platform.settings.base_url}/encryption/public.pem"
        error.message = error.message.replace("<base URL of this platform>/encryption/public.pem", address)
        raise


def _require(definition: Definition, fields: tuple[SecretField, ...], given: list[str], what: str) -> None:
    missing = [field.key for field in fields if field.required and field.key not in given]
    if missing:
        raise InvalidRequest(
            f"{definition.name} needs the {what} {', '.join(missing)}.",
            field=missing[0],
            reason="is required",
        )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""

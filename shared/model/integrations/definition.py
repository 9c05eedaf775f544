"""What an integration consists of, whether it is in the catalogue or brought by a use case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.model.configuration import CustomIntegration
from shared.model.integrations.integration import ContextType

_CUSTOM = "cstm_"
_NO_CREDENTIAL = "none"


class AuthMethod(StrEnum):
    """How an integration is connected."""

    API_KEY = "api_key"
    CREDENTIALS = "credentials"
    OAUTH = "oauth"


@dataclass(frozen=True, slots=True)
class SecretField:
    """A value that is connected with. ``target`` is the field of the n8n credential it becomes, if any.

    ``choices`` are other spellings of the values n8n takes.
    """

    key: str
    target: str | None
    required: bool = True
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """A credential for one HTTP header, for an n8n that lacks the node package with the type.

    ``domains`` are the hosts it is meant for.
    """

    name: str
    prefix: str
    domains: str


@dataclass(frozen=True, slots=True)
class Definition:
    """An integration.

    ``credential_type`` is the n8n type, ``None`` for one that makes no credential. ``fixed`` are fields of
    the credential that are the same for everybody. ``metadata`` are clear-text fields.
    """

    uid: str
    name: str
    contexts: tuple[ContextType, ...]
    auth_method: AuthMethod
    credential_type: str | None
    secrets: tuple[SecretField, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)
    metadata: tuple[SecretField, ...] = ()
    fallback: Header | None = None


def is_custom(integration_id: str) -> bool:
    """Return whether the id is one a use case brings."""
    return integration_id.startswith(_CUSTOM)


def custom(schema: CustomIntegration) -> Definition:
    """Return the definition of a custom integration; it may be connected in any context (types §7)."""
    mapping = schema.n8n_credential_mapping
    return Definition(
        uid=schema.id,
        name=schema.name,
        contexts=(ContextType.ORGANIZATION, ContextType.MEMBER, ContextType.PROCESS_INSTANCE),
        auth_method=AuthMethod.CREDENTIALS,
        credential_type=None if schema.n8n_credential_type == _NO_CREDENTIAL else schema.n8n_credential_type,
        secrets=tuple(
            SecretField(f.key, mapping.get(f.key), True if f.required is None else f.required)
            for f in schema.secret_fields
        ),
        metadata=tuple(
            SecretField(f.key, mapping.get(f.key), bool(f.required)) for f in schema.metadata_fields
        ),
    )

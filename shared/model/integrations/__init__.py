"""Integrations: the catalogue of those the platform knows, those a use case brings, and connected ones."""

from shared.model.integrations.catalogue import CATALOGUE, FLEXIBLE, microsoft_ids
from shared.model.integrations.data import credential_data
from shared.model.integrations.definition import AuthMethod, Definition, SecretField, custom, is_custom
from shared.model.integrations.integration import ContextType, Holder, Integration, OAuthFlow
from shared.model.integrations.naming import credential_id, credential_name
from shared.model.integrations.providers import AUTHORIZATIONS, PROVIDERS

__all__ = [
    "AUTHORIZATIONS",
    "CATALOGUE",
    "FLEXIBLE",
    "PROVIDERS",
    "AuthMethod",
    "ContextType",
    "Definition",
    "Holder",
    "Integration",
    "OAuthFlow",
    "SecretField",
    "credential_data",
    "credential_id",
    "credential_name",
    "custom",
    "is_custom",
    "microsoft_ids",
]

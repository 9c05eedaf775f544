"""Integrations a use case brings itself (types §7)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.configuration.part import Part


class IntegrationField(Part):
    """One field of the connection form. Secrets are required unless said otherwise, metadata is not."""

    key: str
    label: str
    type: Literal["password", "string", "url", "number"]
    description: str | None = None
    placeholder: str | None = None
    required: bool | None = None


class CustomIntegration(Part):
    """An integration with an id of its own, and how its fields become an n8n credential."""

    id: str
    name: str
    description: str | None = None
    context_type: Literal["organization", "member", "process_instance"]
    n8n_credential_type: str = Field(min_length=1, alias="n8nCredentialType")
    n8n_credential_mapping: dict[str, str] = Field(default={}, alias="n8nCredentialMapping")
    secret_fields: list[IntegrationField]
    metadata_fields: list[IntegrationField] = []
    icon: str | None = None
    logo_url: str | None = None
    color: str | None = None

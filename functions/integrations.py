"""Integrations: credentials of organizations, members and installations (api §5.14–5.17)."""

from __future__ import annotations

from pydantic import Field, JsonValue
from starlette.responses import Response

from shared.errors import (
    Conflict,
    Forbidden,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    Unauthorized,
    UpstreamError,
)
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.http.envelopes import respond
from shared.model.document import Document
from shared.model.integrations import ContextType
from shared.model.scopes import Scope
from shared.services.integrations.connect import Connected, Sent, connect
from shared.services.integrations.disconnect import Deleted, Unconfirmed, disconnect
from shared.services.integrations.listing import Row, integrations_of
from shared.services.integrations.lookup import CredentialSchema, schema_for
from shared.services.integrations.places import Address
from shared.services.integrations.values import SentSecret
from shared.vault.errors import DecryptionFailed

_ACCESS = keys(O, P, A, scopes=(Scope.INTEGRATIONS_MANAGE,))
_MOST = 1024 * 1024


class ListIntegrations(Document):
    """The body of ``listIntegrationsPublic``."""

    organization_id: str | None = None
    process_instance_id: str | None = None


class Integrations(Document):
    """What is connected."""

    integrations: list[Row]


class _Addressed(Document):
    """Whose integration it is: ``memberId`` is by default the key's user.

    ``platform`` is for administrators: the credential every organization on the n8n falls back to, on
    all of them or on ``backendId``.
    """

    integration_id: str = Field(min_length=1, max_length=100)
    context_type: ContextType
    organization_id: str | None = None
    process_instance_id: str | None = None
    member_id: str | None = None
    backend_id: str | None = None

    @property
    def address(self) -> Address:
        """The holder as it is named here."""
        return Address(
            self.context_type,
            self.organization_id,
            self.process_instance_id,
            self.member_id,
            self.backend_id,
        )


class CreateIntegration(_Addressed):
    """The body of ``createIntegrationPublic``."""

    secrets: dict[str, SentSecret] = Field(repr=False)
    metadata: dict[str, JsonValue] = {}
    custom_integration_schema: JsonValue = None


class DeleteIntegration(_Addressed):
    """The body of ``deleteIntegrationPublic``."""

    confirm_deletion: bool = False


class CredentialTypeQuery(Document):
    """The query of ``getCredentialSchemaPublic``."""

    type: str = Field(min_length=1, max_length=200)
    organization_id: str | None = None


@endpoint(
    "POST",
    "listIntegrationsPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=ListIntegrations,
    response=Integrations,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_integrations_public(call: Call[ListIntegrations]) -> Integrations:
    """List what is connected for the organization, the caller and an installation."""
    body = call.body
    rows = await integrations_of(call.platform, call.caller, body.organization_id, body.process_instance_id)
    return Integrations(integrations=rows)


@endpoint(
    "POST",
    "createIntegrationPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=CreateIntegration,
    response=Connected,
    errors=(
        InvalidRequest,
        InvalidConfiguration,
        DecryptionFailed,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        UpstreamError,
    ),
    body_limit=_MOST,
)
async def create_integration_public(call: Call[CreateIntegration]) -> Connected:
    """Connect an integration with encrypted secrets, or replace its values."""
    body = call.body
    sent = Sent(
        integration_id=body.integration_id,
        address=body.address,
        secrets=body.secrets,
        metadata=body.metadata,
        custom_schema=body.custom_integration_schema,
    )
    return await connect(call.platform, call.caller, sent)


@endpoint(
    "POST",
    "deleteIntegrationPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=DeleteIntegration,
    response=Deleted,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
)
async def delete_integration_public(call: Call[DeleteIntegration]) -> Deleted | Response:
    """Delete an integration; unconfirmed, tell what depends on it."""
    body = call.body
    done = await disconnect(
        call.platform, call.caller, body.integration_id, body.address, confirmed=body.confirm_deletion
    )
    if isinstance(done, Unconfirmed):
        # Neither a success nor an error: clients ask their user, and call again (api §5.16).
        pending = {"success": False, "data": done.wire(), "requestId": call.request_id}
        return respond(200, pending, call.request_id)
    return done


@endpoint(
    "GET",
    "getCredentialSchemaPublic",
    access=_ACCESS,
    envelope=Envelope.DATA,
    request=CredentialTypeQuery,
    response=CredentialSchema,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, UpstreamError),
)
async def get_credential_schema_public(call: Call[CredentialTypeQuery]) -> CredentialSchema:
    """Return n8n's own schema of a credential type."""
    return await schema_for(call.platform, call.caller, call.body.type, call.body.organization_id)

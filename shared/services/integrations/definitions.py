"""What is to be connected, from the catalogue or as the client describes it."""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.configuration import CustomIntegration
from shared.model.integrations import (
    CATALOGUE,
    FLEXIBLE,
    PROVIDERS,
    AuthMethod,
    ContextType,
    Definition,
    Holder,
    custom,
    is_custom,
)
from shared.model.integrations.providers import client_definition
from shared.services.integrations.oauth.clients import is_client
from shared.services.platform import Platform
from shared.validation.integrations import validate_custom_integration


def schema_of(
    integration_id: str, sent: object, stored: CustomIntegration | None
) -> CustomIntegration | None:
    """Return the schema of a custom integration, the one sent before the one stored.

    Raises:
        InvalidRequest, InvalidConfiguration: there is none, it is broken, or it is another's.
    """
    if not is_custom(integration_id):
        return None
    schema = stored if sent is None else validate_custom_integration(sent)
    if schema is None:
        raise InvalidRequest(
            f"{integration_id} is a custom integration: send its customIntegrationSchema.",
            field="customIntegrationSchema",
        )
    if schema.id != integration_id:
        raise InvalidRequest(
            f"customIntegrationSchema describes {schema.id}, not {integration_id}.",
            field="customIntegrationSchema",
        )
    return schema


def definition_of(
    platform: Platform, integration_id: str, holder: Holder, schema: CustomIntegration | None
) -> Definition:
    """Return the definition of an integration that may be connected at that holder.

    Raises:
        InvalidRequest: there is no such integration, or it is not connected there.
        InvalidRequest (``OAUTH_REQUIRED``): it is connected in the dashboard, whose address is given.
    """
    if is_client(holder):
        return client_definition(PROVIDERS[integration_id])
    definition = custom(schema) if schema else CATALOGUE.get(integration_id)
    if definition is None:
        raise InvalidRequest(
            f"There is no integration {integration_id}. Custom integrations have ids that start with cstm_; "
            f"the platform knows {', '.join(sorted(CATALOGUE))}.",
            field="integrationId",
        )
    if definition.auth_method is AuthMethod.OAUTH:
        raise _oauth(platform, definition, holder)
    contexts = [*definition.contexts]
    if integration_id in FLEXIBLE:
        contexts.append(ContextType.PLATFORM)
    if holder.context_type not in contexts:
        where = " or ".join(context.value for context in contexts)
        raise InvalidRequest(
            f"{definition.name} is connected with contextType {where}, not {holder.context_type.value}.",
            field="contextType",
        )
    return definition


def _oauth(platform: Platform, definition: Definition, holder: Holder) -> InvalidRequest:
    address = f"{platform.settings.base_url}/organizations/{holder.organization_id}/integrations"
    error = InvalidRequest(
        f"{definition.name} requires OAuth authentication. Connect it in the dashboard: {address}",
        code="OAUTH_REQUIRED",
        field="integrationId",
    )
    error.details["dashboardUrl"] = address
    return error

"""What the placeholders of one installation, or of a process alone, stand for (platform §6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.errors import Internal
from shared.placeholders import Scope, Values
from shared.services.deployments.work import Tenant, Work
from shared.services.integrations.available import Holders, available_to
from shared.services.integrations.missing import MissingIntegrations
from shared.services.platform import Platform
from shared.services.secrets import execution_auth, open_text
from shared.validation.parameters import effective_parameters


async def values_of(platform: Platform, work: Work) -> Values:
    """Return the values of every scope except the sub-workflows', which become known on the way.

    Raises:
        Internal: the organization was never provisioned.
        MissingIntegrations: a credential the use case needs is not connected.
    """
    configuration, owner = work.configuration, work.instance.user_id
    values = await process_values(platform, work.tenant, work.deployment.process_id, owner)
    holders = holders_of(work.tenant, owner, work.instance_id)
    required = configuration.required_integrations()
    values = await with_credentials(platform, values, holders, work.texts.values(), required)
    return replace(
        values,
        installation={**values.installation, "PROCESS_INSTANCE_UID": work.instance_id},
        parameters=effective_parameters(
            configuration.deployment_input_schema,
            configuration.default_deployment_parameters,
            work.instance.deployment_parameters,
        ),
        parameter_schema=configuration.deployment_input_schema,
    )


async def process_values(platform: Platform, tenant: Tenant, process_id: str, user_id: str) -> Values:
    """Return the values of a process for one member that need no installation.

    Raises:
        Internal: the organization was never provisioned.
    """
    organization, auth = tenant.organization, tenant.webhook_auth
    if organization.error_workflow_id is None:
        raise Internal("The organization is not provisioned: it has no error workflow.")
    member_secret = await open_text(
        platform, tenant.member.execution_auth, execution_auth(tenant.organization_id, user_id)
    )
    return Values(
        process={"PROCESS_ID": process_id, "NAMESPACE": f"process_{process_id}"},
        installation={"USER_ID": user_id, "ORGANIZATION_ID": tenant.organization_id},
        organization={
            "N8N_BASE_URL": tenant.backend.base_url.rstrip("/"),
            "ERROR_WORKFLOW_ID": organization.error_workflow_id,
            "WEBHOOK_AUTH_CRED_ID": auth.credential_id,
            "WEBHOOK_AUTH_CRED_NAME": auth.credential_name,
        },
        member_secrets={"EXECUTION_AUTH": member_secret},
    )


def holders_of(tenant: Tenant, user_id: str, process_instance_id: str | None = None) -> Holders:
    """Return whose credentials a member's installation may use, or a process alone."""
    return Holders(tenant.organization_id, user_id, process_instance_id, tenant.organization.backend_id)


async def with_credentials(
    platform: Platform, values: Values, holders: Holders, texts: Iterable[str], required: Iterable[str] = ()
) -> Values:
    """Return the values together with the credentials that workflow files ask for.

    ``required`` are ids of integrations that must be connected whether a file names them or not.

    Raises:
        MissingIntegrations
    """
    available = await available_to(platform, holders, texts, required)
    if available.missing:
        raise MissingIntegrations(available.missing)
    return replace(
        values,
        platform_credentials=available.of(Scope.PLATFORM_CREDENTIAL),
        organization_credentials=available.of(Scope.ORGANIZATION_CREDENTIAL),
        member_credentials=available.of(Scope.MEMBER_CREDENTIAL),
        flexible_credentials=available.of(Scope.FLEXIBLE_CREDENTIAL),
        instance_credentials=available.of(Scope.INSTANCE_CREDENTIAL),
        integration_uses=available.uses,
    )


def with_subworkflows(values: Values, subworkflows: Mapping[str, str]) -> Values:
    """Return the values together with the n8n ids of sub-workflows."""
    return replace(values, subworkflows=dict(subworkflows))

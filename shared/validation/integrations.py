"""Rules of custom integrations (types §7, platform §23.6 CUSTOM-INTEGRATION)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter, ValidationError

from shared.errors import InvalidConfiguration
from shared.model.configuration import Configuration, CustomIntegration
from shared.validation.problems import Problem, of_pydantic, problem, refuse

_ID = re.compile(r"cstm_[a-z0-9_]+")
_KEY = re.compile(r"[A-Z][A-Z0-9_]*")
_PREFIX = "cstm_"


def validate_custom_integration(raw: object) -> CustomIntegration:
    """Return a custom integration sent by itself (``customIntegrationSchema`` of the integration call).

    Raises :class:`InvalidConfiguration` naming every broken rule.
    """
    subject = "The custom integration is not valid"
    try:
        integration = TypeAdapter(CustomIntegration).validate_python(raw)
    except ValidationError as error:
        refuse(InvalidConfiguration, subject, list(of_pydantic(error)))
        raise
    refuse(InvalidConfiguration, subject, list(_check_one(integration, ())))
    return integration


def check_integrations(configuration: Configuration) -> Iterator[Problem]:
    """Yield what is wrong with the custom integrations, and with references to them."""
    yield from _check_ids(configuration.custom_integrations)
    for index, integration in enumerate(configuration.custom_integrations):
        yield from _check_one(integration, ("customIntegrations", index))
    defined = {integration.id for integration in configuration.custom_integrations}
    lists: list[tuple[tuple[str | int, ...], list[str]]] = [
        (("integrationUids",), configuration.integration_uids or [])
    ]
    lists += [
        (("workflows", index, "integrationUids"), workflow.integration_uids)
        for index, workflow in enumerate(configuration.workflows)
    ]
    for path, uids in lists:
        for uid in uids:
            if uid.startswith(_PREFIX) and uid not in defined:
                yield problem(path, f"names '{uid}', which customIntegrations does not define")


def _check_ids(integrations: Sequence[CustomIntegration]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, integration in enumerate(integrations):
        if integration.id in seen:
            yield problem(("customIntegrations", index, "id"), "is used twice")
        seen.add(integration.id)


def _check_one(integration: CustomIntegration, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if not _ID.fullmatch(integration.id):
        yield problem((*path, "id"), "must start with cstm_ and have lower-case letters, digits and _ only")
    yield from _check_fields(integration, path)
    yield from _check_mapping(integration, path)


def _check_fields(integration: CustomIntegration, path: tuple[str | int, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for name, fields in (
        ("secretFields", integration.secret_fields),
        ("metadataFields", integration.metadata_fields),
    ):
        for index, field in enumerate(fields):
            here = (*path, name, index, "key")
            if not _KEY.fullmatch(field.key):
                yield problem(here, "must be UPPER_SNAKE_CASE")
            if field.key in seen:
                yield problem(here, "is used twice")
            seen.add(field.key)


def _check_mapping(integration: CustomIntegration, path: tuple[str | int, ...]) -> Iterator[Problem]:
    here = (*path, "n8nCredentialMapping")
    if integration.n8n_credential_type != "none" and not integration.n8n_credential_mapping:
        yield problem(here, "must not be empty")
    declared = {field.key for field in [*integration.secret_fields, *integration.metadata_fields]}
    for key in integration.n8n_credential_mapping:
        if key not in declared:
            yield problem((*here, key), "is not a declared field")

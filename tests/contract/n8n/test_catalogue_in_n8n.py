"""Every integration of the catalogue becomes a credential that real n8n takes (platform §8)."""

from __future__ import annotations

import pytest

from shared.model.integrations import CATALOGUE, AuthMethod, ContextType, Definition, Holder, credential_id
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.services.integrations.credential import store_credential
from shared.services.integrations.values import Values
from shared.vault.boxed import Secret

DIRECT = [d for d in CATALOGUE.values() if d.auth_method is not AuthMethod.OAUTH]
OAUTH = [d for d in CATALOGUE.values() if d.auth_method is AuthMethod.OAUTH]
FROM_PACKAGES = {"tavily", "folk", "fal_ai"}
"""Their types come with node packages that n8n does not bring."""


@pytest.mark.parametrize("definition", DIRECT, ids=lambda definition: definition.uid)
@pytest.mark.parametrize("context", [ContextType.ORGANIZATION, ContextType.PLATFORM])
async def test_n8n_takes_it_new_and_changed(
    n8n: N8nClient, prefix: str, definition: Definition, context: ContextType
) -> None:
    holder = Holder(context, prefix, prefix)
    texts = {"POSTGRES_PORT": "5432", "POSTGRES_SSL": "true"}
    secrets = {field.key: Secret(texts.get(field.key, "=a {{ value }}")) for field in definition.secrets}
    values, identifier = Values(secrets, {}), credential_id(holder, definition.uid)
    try:
        for exists in (False, True, False):
            stored = await store_credential(
                n8n, holder, definition, values, credential_id=identifier, exists=exists
            )
            header = definition.uid in FROM_PACKAGES
            assert stored.type == ("httpHeaderAuth" if header else definition.credential_type)
    finally:
        await n8n.delete_credential(identifier)


@pytest.mark.parametrize("definition", OAUTH, ids=lambda definition: definition.uid)
async def test_n8n_knows_the_type_of_an_oauth_integration(n8n: N8nClient, definition: Definition) -> None:
    schema = await n8n.credential_schema(definition.credential_type or "")

    assert schema["type"] == "object"


async def test_a_node_package_that_is_missing_is_what_n8n_says(n8n: N8nClient) -> None:
    for uid in FROM_PACKAGES:
        with pytest.raises(N8nRefused) as refused:
            await n8n.credential_schema(CATALOGUE[uid].credential_type or "")
        assert refused.value.n8n_status == 404

"""The table of providers, and what may stand in an address of it."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequest
from shared.model.integrations import AUTHORIZATIONS, CATALOGUE, PROVIDERS
from shared.model.integrations.definition import AuthMethod
from shared.services.integrations.oauth.clients import filled


def test_every_oauth_integration_has_a_way_to_be_authorized() -> None:
    oauth = {uid for uid, known in CATALOGUE.items() if known.auth_method is AuthMethod.OAUTH}

    assert set(AUTHORIZATIONS) == oauth
    assert {known.provider.uid for known in AUTHORIZATIONS.values()} == set(PROVIDERS)


def test_secrets_travel_over_tls_alone() -> None:
    for provider in PROVIDERS.values():
        addresses = (provider.authorize_url, provider.token_url, provider.revoke_url or "https://")
        assert all(address.startswith("https://") for address in addresses)


@pytest.mark.parametrize("given", ["", "evil.example/", "evil.example#", "a.b", "-a", "a@b", "a\n", "é"])
def test_nothing_but_a_label_becomes_part_of_a_host(given: str) -> None:
    with pytest.raises(InvalidRequest, match="shopSubdomain"):
        filled("https://{shopSubdomain}.myshopify.com/", {"shopSubdomain": given})

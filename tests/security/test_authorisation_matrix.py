"""Every caller at every endpoint: what the declaration says is what happens (api §3, §4)."""

from __future__ import annotations

import pytest

from shared.http.access import Keyed
from shared.http.declaration import Endpoint, Envelope
from tests.integration.world.endpoints import ALL, Admitted, failure, name_of
from tests.security.callers import CALLERS, Caller, body_of, expected


@pytest.fixture(scope="module")
def keys() -> dict[str, str | None]:
    """The keys minted so far, by caller."""
    return {}


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
async def test_a_caller_gets_in_exactly_where_the_declaration_says(
    admitted: Admitted, keys: dict[str, str | None], caller: Caller, endpoint: Endpoint
) -> None:
    if caller.name not in keys:
        keys[caller.name] = await caller.key(admitted)
    key = keys[caller.name]

    answer = await admitted.world.gateway.http.request(
        endpoint.method,
        admitted.path(endpoint),
        headers={} if key is None else {"X-API-Key": key},
        json=body_of(endpoint),
    )

    refusal = expected(endpoint, caller)
    if refusal is None:
        assert answer.status_code not in (401, 403, 405, 500), answer.text
        return
    status, code, message = failure(endpoint, answer)
    assert (status, code) == (refusal[0], refusal[1] or code)
    assert key is None or key not in answer.text
    if code == "INSUFFICIENT_SCOPE":
        assert isinstance(endpoint.access, Keyed)
        assert all(scope in message for scope in endpoint.access.scopes)


def test_the_matrix_holds_callers_that_get_in_and_callers_that_do_not_at_every_keyed_endpoint() -> None:
    for endpoint in ALL:
        if isinstance(endpoint.access, Keyed):
            outcomes = {expected(endpoint, caller) for caller in CALLERS}
            assert None in outcomes, endpoint.name
            assert {outcome[0] for outcome in outcomes if outcome} == {401, 403}, endpoint.name


def test_every_endpoint_wants_proof_of_something_but_those_that_everybody_needs() -> None:
    nobody = CALLERS[0]
    # Account flows prove an address.
    open_to_all = [e.name for e in ALL if expected(e, nobody) is None and e.envelope is not Envelope.AUTH]

    assert open_to_all == ["apiDocs", "apiDocsAsset", "encryption", "openApiDocument", "organizationLogo"]

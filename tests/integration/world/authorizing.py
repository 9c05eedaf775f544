"""Authorizing integrations as users and their browsers do, and looking at what became of it."""

from __future__ import annotations

from typing import Any

import httpx

from shared.model.apikey import KeyKind
from shared.model.integrations import ContextType, Holder, Integration
from shared.model.scopes import Scope
from shared.services.integrations.oauth.queues import order_for
from shared.store import refs
from shared.store.store import Found
from tests.integration.world.gateway import Gateway
from tests.integration.world.integrations import connect
from tests.integration.world.oauth import CLIENT_ID, CLIENT_SECRET, Authority, Person
from tests.integration.world.world import World


async def register_at(world: World, authority: Authority) -> None:
    """Register the platform at the server, as several providers, as its operator does."""
    authority.client.redirect_uri = f"{world.gateway.base_url}/completeIntegrationAuthorization"
    authority.down, authority.slow_seconds, authority.says = False, 0, {}
    authority.loses_answers, authority.forgives = False, False
    operator = await world.north.key(kind=KeyKind.ADMIN, scopes=[Scope.INTEGRATIONS_MANAGE])
    for provider in ("slack", "google", "calendly"):
        token_url = authority.addresses["tokenUrl"] + ("?slack=1" if provider == "slack" else "")
        addresses: Any = {**authority.addresses, "tokenUrl": token_url}
        name = provider.upper()
        secrets = {f"{name}_CLIENT_ID": CLIENT_ID, f"{name}_CLIENT_SECRET": CLIENT_SECRET}
        answer = await connect(world, provider, secrets, operator, context="platform", metadata=addresses)
        assert answer.status_code == 200, answer.text


async def start(
    world: World, uid: str = "slack", key: str | None = None, context: str = "organization", **more: Any
) -> httpx.Response:
    body = {"integrationId": uid, "contextType": context, **more}
    return await world.gateway.post("/startIntegrationAuthorization", key or world.north.keys["owner"], body)


async def begin(world: World, *arguments: Any, **options: Any) -> tuple[str, str]:
    """Return the address to open, and the code to type in there."""
    answer = await start(world, *arguments, **options)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert set(data) == {"authorizationUrl", "confirmationCode", "expiresAt"}
    return str(data["authorizationUrl"]), str(data["confirmationCode"])


async def consented(world: World, authority: Authority, person: Person, answer: str = "yes") -> str:
    """Begin, agree and consent; return the address that the provider sends the browser back to."""
    return await person.authorizes(authority, *await begin(world), answer)


async def authorize(world: World, authority: Authority, *arguments: Any, **options: Any) -> httpx.Response:
    """Go the whole way with a browser, and return the page at its end."""
    async with httpx.AsyncClient() as browser:
        person = Person(browser)
        back = await person.authorizes(authority, *await begin(world, *arguments, **options))
        return await person.returns(back)


def slack(world: World) -> Holder:
    organization_id = world.north.organization_id
    return Holder(ContextType.ORGANIZATION, organization_id, organization_id)


async def kept(world: World, uid: str = "slack") -> Found[Integration]:
    found = await world.platform.store.get(refs.integration(slack(world), uid))
    assert found is not None
    return found


async def refresh(world: World, version: str | None = None, gateway: Gateway | None = None) -> httpx.Response:
    """Deliver the task that refreshes tokens, by default the newest ones."""
    version = version or (await kept(world)).value.token_version or ""
    return await world.deliver(
        "refreshIntegration", order_for(slack(world), "slack", version).wire(), gateway
    )


def stored(world: World, credential_id: str | None) -> dict[str, Any]:
    data: dict[str, Any] = world.n8n.credentials.stored[credential_id or ""]["data"]
    return data

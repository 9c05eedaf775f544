"""People who sign up and log in over HTTP, each from a network of their own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.model.organization import Shards
from shared.model.otp import Purpose
from shared.model.user import User, address_digest
from shared.store import refs
from shared.store.store import Put
from tests.integration.world.gateway import Gateway
from tests.integration.world.n8n_organizations import FurnishableN8n
from tests.integration.world.world import World


def some_address() -> str:
    """An address nobody used yet."""
    return f"somebody-{secrets.token_hex(6)}@example.com"


def some_network() -> str:
    """An IP address nobody called from yet."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@dataclass(slots=True)
class Visitor:
    """Somebody with a mailbox. Calls go to the gateway unless another one is named."""

    world: World
    address: str = field(default_factory=some_address)
    network: str = field(default_factory=some_network)
    gateway: Gateway | None = None

    async def call(self, endpoint: str, **body: Any) -> httpx.Response:
        """Call an endpoint through the proxy that tells where the call is from."""
        at = self.gateway or self.world.gateway
        return await at.http.post(f"/{endpoint}", json=body, headers={"X-Forwarded-For": self.network})

    async def ask(self, purpose: Purpose) -> str:
        """Ask for a code and return it from the mail."""
        answer = await self.call(f"cliRequest{purpose.value.title()}Otp", email=self.address)
        assert answer.status_code == 200, answer.text
        return self.newest_code()

    def newest_code(self) -> str:
        code = self.world.servers.mailbox.newest_code(self.address)
        assert code is not None
        return code

    def codes(self) -> list[str]:
        """Every code mailed so far, newest first."""
        return [mail.code for mail in self.world.servers.mailbox.mails(self.address) if mail.code]

    async def complete(self, purpose: Purpose, code: str, **body: Any) -> httpx.Response:
        return await self.call(f"cliComplete{purpose.value.title()}", email=self.address, code=code, **body)

    async def sign_up(self, **body: Any) -> dict[str, Any]:
        """Sign up and return the answer's data."""
        answer = await self.complete(Purpose.SIGNUP, await self.ask(Purpose.SIGNUP), **body)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def user(self) -> User | None:
        """The user of the address, as stored."""
        claim = await self.world.platform.store.get(refs.email_claim(address_digest(self.address)))
        found = await self.world.platform.store.get(refs.user(claim.value.user_id)) if claim else None
        return found.value if found else None


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal that says what to do next (api §2, envelope C)."""
    body = answer.json()
    assert body["success"] is False, answer.text
    assert set(body) == {"success", "error", "requestId"}
    assert set(body["error"]) <= {"code", "message", "nextAction", "details"}
    assert len(body["error"]["nextAction"]) > 20
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


@asynccontextmanager
async def taking_organizations(world: World) -> AsyncIterator[FurnishableN8n]:
    """Run an n8n that takes every new organization."""
    n8n = FurnishableN8n()
    await n8n.come_up()
    await world.register(n8n)
    before = await world.platform.store.get(refs.shards())
    await world.platform.store.commit(Put(refs.shards(), Shards(backend_ids=[str(n8n.port)])))
    try:
        yield n8n
    finally:
        kept = before.value if before else Shards()
        await world.platform.store.commit(Put(refs.shards(), kept))
        await n8n.go_down()

"""Generated requests, with real ids and secrets in most of the places that take them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from shared.services.runs.secret import PURPOSE, mint
from tests.integration.world.world import World
from tests.security.victims import Victim, new_victim

_REAL = 0.75
"""How often an id is that of an object that exists."""

_ELSEWHERE = ("n8nBaseUrl", "n8nUrl", "baseUrl", "logoUrl")
"""Fields with addresses that the platform itself calls: nothing outside this machine is."""


@dataclass(slots=True)
class Cast:
    """Who calls, and what exists."""

    victim: Victim
    known: Mapping[str, Any]
    keys: Mapping[str, str | None]
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def headers(self) -> tuple[str, dict[str, str]]:
        """Return a caller, and what they present."""
        name = self.random.choice(tuple(self.keys))
        key = self.keys[name]
        proofs = {"X-Codika-Webhook-Auth": self.victim.tenant.webhook_secret}
        return name, proofs if key is None else {**proofs, "X-API-Key": key}

    def fill(self, values: Any) -> None:
        """Put real ids and secrets into generated parameters or a generated body."""
        if not isinstance(values, dict):
            return
        for name in list(values):
            if name in _ELSEWHERE:
                values[name] = "http://127.0.0.1:9"
            elif name in self.known and self.random.random() < _REAL:
                values[name] = self.known[name]


async def new_cast(world: World) -> Cast:
    """Return callers of every kind and fresh objects to reach for."""
    victim, every = await new_victim(world), tuple(Scope)
    tenant = victim.tenant
    run = str(victim.ids["executionId"])
    secret = mint(
        await world.platform.vault.mac_key(PURPOSE), tenant.organization_id, victim.installed.id, run
    )
    known = {
        **victim.ids,
        "userId": tenant.users["member"],
        "memberSecret": await tenant.member_secret("member"),
        "executionSecret": secret,
    }
    keys = {
        "an owner": tenant.keys["owner"],
        "the owner again": tenant.keys["owner"],
        "a member": tenant.keys["member"],
        "a guest": tenant.keys["guest"],
        "an outsider": world.south.keys["owner"],
        "an owner's personal key": await tenant.key(kind=KeyKind.PERSONAL, scopes=every),
        "an administrator": await world.south.key(kind=KeyKind.ADMIN, scopes=every),
        "the installation": victim.installed.key,
        "nobody": None,
    }
    return Cast(victim, known, keys)

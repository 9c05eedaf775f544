"""Rollouts: what was published reaches those who installed it (platform §10, §12)."""

from __future__ import annotations

from tests.integration.world.followers import ended, follow, numbers, published
from tests.integration.world.products import Product


async def test_a_publish_updates_every_installation_with_its_own_parameters(product: Product) -> None:
    first = await published(product, "v1")
    assert "rolloutId" not in first
    tenant = await product.world.tenant_on(product.n8n)
    one = await follow(product, tenant, GREETING="Ahoy")
    other = await follow(product, tenant, "member")

    second = await published(product, "v2")

    rollout = await ended(product, second["rolloutId"])
    assert numbers(rollout) == {"deployed": 2}
    assert (one.greets, other.greets) == (["Ahoy", "v2"], ["Hello", "v2"])
    assert (await one.instance()).current_version == "1.1"

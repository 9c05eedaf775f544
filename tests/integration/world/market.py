"""Published processes, and what others do with them, as clients see it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.integration.world.products import Json, Product, data_of, new_product
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World


class Shop:
    """The marketplace as one key sees it."""

    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self.key = key

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.world.gateway.post(f"/{path}", self.key, body)

    async def search(self, **query: Any) -> Json:
        return data_of(await self.world.gateway.get("/listMarketplacePublic", self.key, **query))

    async def titles(self, **query: Any) -> list[str]:
        """The titles a search finds, in order."""
        return [row["title"] for row in (await self.search(**query))["processes"]]

    async def show(self, process_id: str) -> httpx.Response:
        return await self.world.gateway.get(f"/getMarketplaceProcessPublic/{process_id}", self.key)

    async def install(self, process_id: str, **body: Any) -> httpx.Response:
        return await self.post("installProcessPublic", processId=process_id, **body)

    async def installed(self, process_id: str, **body: Any) -> Json:
        """Install, and return the answer's data."""
        return data_of(await self.install(process_id, **body))

    async def uninstall(self, instance_id: str) -> httpx.Response:
        return await self.post("uninstallProcessInstancePublic", processInstanceId=instance_id)


def shop(world: World, tenant: Tenant, user: str = "owner") -> Shop:
    """Return the marketplace as a user of an organization sees it."""
    return Shop(world, tenant.keys[user])


async def publish(product: Product, mark: str = "v1", visibility: str | None = "public", **body: Any) -> str:
    """Deploy and publish a version of a product, and return the id of its process."""
    changes = body.pop("configuration", {})
    deployed = await product.deploy(mark, configuration=product.configuration(mark, **changes))
    data_of(await product.publish(deployed["templateId"], visibility=visibility, **body))
    return (await product.project()).process_id or ""


async def published(product: Product, **options: Any) -> tuple[Product, str]:
    """Publish another product of the same tenant, and return it with the id of its process."""
    another = await new_product(product.world, product.tenant, product.n8n)
    return another, await publish(another, **options)

"""The process that deploys a data ingestion is killed; another one ends it, and its addresses answer."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest

from bench.endpoints.ingestion import ingestion
from shared.model.ingestion import DataIngestion, IngestionStatus
from shared.model.project import Process
from shared.store import refs
from tests.chaos.conftest import sized
from tests.chaos.figures import Tally
from tests.chaos.product import Product
from tests.chaos.site import Site, eventually

FIRST = (
    "ingestion.booked",
    "ingestion.recorded_pending",
    "ingestion.started",
    "ingestion.created",
    "ingestion.before_commit",
    "ingestion.recorded",
)
"""Points of a first deploy."""

AGAIN = (*FIRST, "ingestion.rehearsed", "ingestion.taken_off", "ingestion.published")
"""Points of a deploy over a data ingestion that is active."""


@dataclass(frozen=True, slots=True)
class Line:
    """The data ingestions of a project."""

    product: Product

    async def send(self) -> httpx.Response:
        """Deploy the next version.

        Raises:
            httpx.TransportError: the gateway died meanwhile.
        """
        body = {"processId": self.product.project_id, "config": ingestion()}
        return await self.product.site.call("POST", "/deployDataIngestion", body)

    async def process(self) -> Process | None:
        """Return the process; ``None`` before anything was recorded."""
        process_id = (await self.product.project()).process_id
        if process_id is None:
            return None
        found = await self.product.site.platform.store.get(refs.process(process_id))
        assert found is not None
        return found.value

    async def ended(self) -> bool:
        """Return whether nobody is at work, and nothing is left to be removed."""
        process = await self.process()
        if process is None:
            return True
        active = process.active_data_ingestion
        if process.ingesting is not None or active is None:
            return False
        return not (await self.document(active.data_ingestion_id)).leftovers

    async def document(self, data_ingestion_id: str) -> DataIngestion:
        found = await self.product.site.platform.store.get(refs.data_ingestion(data_ingestion_id))
        assert found is not None
        return found.value

    async def assert_answers(self, version: str) -> None:
        """Check that this version is active, alone in n8n, and answers at both addresses."""
        process, site = await self.process(), self.product.site
        assert process is not None
        active = process.active_data_ingestion
        assert active is not None
        document = await self.document(active.data_ingestion_id)
        assert (document.version, document.status) == (version, IngestionStatus.ACTIVE)
        (workflow,) = await site.n8n_workflows(self.product.title)
        assert workflow["id"] == document.n8n_workflow_id
        known = await site.n8n_workflow(workflow["id"])
        assert known["activeVersionId"] == document.n8n_version_id
        for url in (active.webhook_urls.embed, active.webhook_urls.delete):
            answer = await site.http.post(url, json={})
            assert answer.status_code in (401, 403), "the address does not ask for its secret"


@pytest.mark.parametrize(
    ("before", "point"),
    [
        *((0, point) for point in sized(FIRST, "ingestion.created")),
        *((1, point) for point in sized(AGAIN, "ingestion.taken_off", "ingestion.recorded")),
    ],
)
async def test_a_data_ingestion_is_ended_by_another_worker(
    site: Site, product: Product, tally: Tally, before: int, point: str
) -> None:
    line = Line(product)
    for _ in range(before):
        assert (await line.send()).status_code == 200

    site.arm(point)
    with suppress(httpx.TransportError):
        answer = await line.send()
        raise AssertionError(f"{point} was never reached: {answer.text}")
    assert not site.armed, f"{point} was never reached"
    await site.gateway_up()

    tally.kills["data ingestions"] += 1
    await eventually(line.ended, 90, what=f"the end of the data ingestion of {product.title}")
    never_recorded = point == "ingestion.booked"
    if not never_recorded or before:
        await line.assert_answers(f"1.{before - never_recorded}")
    assert (await line.send()).status_code == 200
    await line.assert_answers(f"1.{before + 1 - never_recorded}")
    tally.outcomes["data ingestions active"] += 1

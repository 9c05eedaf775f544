"""The limits that a use case states for its workflows hold from the deploy on (decision 0025)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.world.products import Product


def limited(product: Product, mark: str, **limits: Any) -> dict[str, Any]:
    configuration = product.configuration(mark)
    (beta,) = [flow for flow in configuration["workflows"] if flow["workflowTemplateId"] == "beta"]
    beta.update(limits)
    return configuration


async def test_what_a_workflow_may_do_at_once_goes_live_with_its_version(product: Product) -> None:
    first = limited(product, "v1", maxRunning=2, maxRunsPerMinute=90)
    instance_id = (await product.deploy("v1", configuration=first))["processInstanceId"]

    endpoint = await product.endpoint(instance_id)
    assert (endpoint.max_running, endpoint.max_runs_per_minute) == (2, 90)

    await product.deploy("v2")
    assert not (await product.endpoint(instance_id)).is_limited


@pytest.mark.parametrize("limits", [{"maxRunning": 0}, {"maxRunning": 1.5}, {"maxRunsPerMinute": "many"}])
async def test_a_limit_that_is_no_number_of_runs_is_refused(product: Product, limits: dict[str, Any]) -> None:
    answer = await product.send("v1", configuration=limited(product, "v1", **limits))

    assert answer.status_code == 400
    assert next(iter(limits)) in answer.text

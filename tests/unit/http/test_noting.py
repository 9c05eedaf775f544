"""What a request leaves behind never fails its answer, nor holds it up for long."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from shared.errors import Forbidden
from shared.http.authentication import Caller
from shared.http.declaration import Endpoint
from shared.http.noting import noting_use, refused
from shared.http.visit import Visit
from shared.model.apikey import ApiKey, KeyKind
from shared.services.platform import Platform
from shared.services.recent import Recent
from shared.sources import Sources
from tests.unit.http.test_path_parameters import declared

KEY = ApiKey(
    key_id="k",
    kind=KeyKind.PERSONAL,
    key_prefix="ckp_12345678",
    name="",
    scopes=[],
    user_id="u",
    created_at=Sources().now(),
)


class Unreachable:
    async def commit(self, *writes: Any) -> None:
        raise ConnectionError("no Firestore")


class Stuck:
    async def commit(self, *writes: Any) -> None:
        await asyncio.sleep(30)


def platform(store: object) -> Platform:
    parts = SimpleNamespace(noted=Recent(60), sources=Sources(), store=store)
    return cast("Platform", parts)


def visit(endpoint: Endpoint) -> Visit:
    return Visit(endpoint, Request({"type": "http"}), "r", caller=Caller("digest", KEY))


@pytest.mark.parametrize("store", [Unreachable(), Stuck()], ids=["unreachable", "stuck"])
async def test_an_answer_outlives_what_cannot_be_noted(
    store: object, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    post = replace(declared("createThing"), method="POST")
    began, before = time.monotonic(), asyncio.all_tasks()

    async with noting_use(platform(store), visit(post)):
        answer = "the answer"
    await refused(platform(store), visit(post), Forbidden("No."))

    assert answer == "the answer"
    assert time.monotonic() - began < 2
    # Others belong to the servers of other tests.
    for task in asyncio.all_tasks() - before:
        task.cancel()


async def test_the_handlers_own_failure_is_not_swallowed() -> None:
    with pytest.raises(Forbidden):
        async with noting_use(platform(Unreachable()), visit(declared("getThing"))):
            raise Forbidden("No.")

"""The benchmark of every endpoint leaves none out without saying so."""

from __future__ import annotations

import pytest

from bench.api import CallFailed
from bench.endpoints import calls, costs
from functions import load_all
from shared.http.access import Keyed
from shared.http.declaration import REGISTRY


def _keyed() -> set[str]:
    load_all()
    return {endpoint.name for endpoint in REGISTRY.all() if isinstance(endpoint.access, Keyed)}


def test_every_endpoint_that_a_key_can_call_is_measured_or_says_why_not() -> None:
    assert costs.unknown(_keyed()) == []


def test_nothing_is_measured_that_does_not_exist() -> None:
    named = {*calls.CALLS, *calls.SLOW, *calls.RESTORE, *calls.UNMEASURED}
    assert named <= _keyed()
    assert not set(calls.CALLS) & set(calls.UNMEASURED)
    assert all(reason.strip() for reason in calls.UNMEASURED.values())


def test_an_endpoint_without_a_call_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {name: call for name, call in calls.CALLS.items() if name != "verifyApiKey"}
    monkeypatch.setattr(costs, "CALLS", left)

    with pytest.raises(CallFailed, match=r"no call for .*verifyApiKey"):
        costs.keyed()

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.histories.checker import violations

Event = dict[str, Any]
_RESULT = {"of": "c1"}


def _accepted(execution: str = "e1", key: str | None = None) -> Event:
    return {"event": "accepted", "execution": execution, "key": key}


def _started(execution: str = "e1", n8n: str = "7", key: str | None = None) -> Event:
    return {"event": "started", "execution": execution, "n8n": n8n, "key": key}


def _reporting(value: object = _RESULT, kind: str = "result") -> Event:
    return {"event": "reporting", "execution": "e1", "kind": kind, "value": value}


def _reported(value: object = _RESULT, kind: str = "result", answer: int = 200) -> Event:
    return {**_reporting(value, kind), "event": "reported", "answer": answer}


def _read(status: str, result: object = None, error: str | None = None) -> Event:
    return {"event": "read", "execution": "e1", "status": status, "result": result, "error": error}


def _final(status: str, result: object = None, error: str | None = None, charges: int = 0) -> Event:
    return {**_read(status, result, error), "event": "final", "charges": charges}


SUCCESS = _final("success", _RESULT, charges=1)
GOOD = [
    _accepted(key="k"),
    _read("pending"),
    _started(key="k"),
    _reporting(),
    _reported(),
    _reported(),
    _reported("no", "error", 409),
    _accepted(key="k"),
    _read("success", _RESULT),
    SUCCESS,
]


def test_a_history_in_which_every_promise_is_kept_is_accepted() -> None:
    assert violations(GOOD) == []


def test_a_run_that_failed_without_being_begun_is_accepted() -> None:
    assert violations([_accepted(), _final("failed", error="n8n refused")]) == []


@pytest.mark.parametrize(
    ("kind", "history"),
    [
        ("lost", [_accepted()]),
        ("lost", [_accepted(), _final("pending")]),
        ("doubled", [*GOOD, _started(n8n="8")]),
        ("doubled", [*GOOD, _accepted("e2", key="k"), {**_final("failed"), "execution": "e2"}]),
        ("doubled", [*GOOD, _started("e2", key="k")]),
        ("changed", [*GOOD[:-1], _read("failed", error="x"), SUCCESS]),
        ("changed", [*GOOD[:-1], _read("pending"), SUCCESS]),
        ("changed", [*GOOD[:-1], _read("success", {"of": "another"}), SUCCESS]),
        ("changed", [*GOOD[:-1], _reported({"of": "another"}), SUCCESS]),
        ("changed", [*GOOD[:-1], _reported("no", "error"), SUCCESS]),
        ("changed", [_accepted(), _started(), _reporting(), _reported(), _final("failed", error="x")]),
        ("changed", [_started(), _reporting(), _reported()]),
        ("invented", [_accepted(), _final("success", _RESULT, charges=1)]),
        ("invented", [_accepted(), _started(), _final("success", _RESULT, charges=1)]),
        ("miscounted", [*GOOD[:-1], _final("success", _RESULT, charges=0)]),
        ("miscounted", [*GOOD[:-1], _final("success", _RESULT, charges=2)]),
        ("miscounted", [_accepted(), _final("failed", error="x", charges=1)]),
    ],
)
def test_a_history_with_a_broken_promise_is_rejected(kind: str, history: list[Event]) -> None:
    assert kind in {violation.kind for violation in violations(history)}

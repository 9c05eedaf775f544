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


def _cancelled(answer: int = 200) -> Event:
    said = {"kind": "error", "value": "The run was cancelled.", "answer": answer}
    return {"event": "cancelled", "execution": "e1", **said}


def _subscribed(to: str = "all", *statuses: str) -> Event:
    return {"event": "subscribed", "to": to, "statuses": statuses or ("success", "failed")}


def _told(status: str = "success", to: str = "all", identifier: str = "evt_1", signed: bool = True) -> Event:
    type_ = "execution.completed" if status == "success" else "execution.failed"
    about = {"to": to, "execution": "e1", "status": status, "type": type_}
    return {"event": "told", "id": identifier, "signed": signed, **about}


def _balance(balance: int = 7, ledger: int = 7, unsettled: int = 0) -> Event:
    return {"event": "balance", "balance": balance, "ledger": ledger, "unsettled": unsettled}


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
    _cancelled(409),
    SUCCESS,
    _subscribed(),
    _subscribed("failures", "failed"),
    _told(),
    _told(),
    _balance(),
]
GOOD_SO_FAR = GOOD[: GOOD.index(SUCCESS)]
ENDED_CANCELLED = _final("failed", error="The run was cancelled.")


def test_a_history_in_which_every_promise_is_kept_is_accepted() -> None:
    assert violations(GOOD) == []


def test_a_run_that_failed_without_being_begun_is_accepted() -> None:
    assert violations([_accepted(), _final("failed", error="n8n refused")]) == []


def test_a_run_that_is_cancelled_twice_is_accepted() -> None:
    assert violations([_accepted(), _started(), _cancelled(), _cancelled(), ENDED_CANCELLED]) == []


@pytest.mark.parametrize(
    ("kind", "history"),
    [
        ("lost", [_accepted()]),
        ("lost", [_accepted(), _final("pending")]),
        ("doubled", [*GOOD, _started(n8n="8")]),
        ("doubled", [*GOOD, _accepted("e2", key="k"), {**_final("failed"), "execution": "e2"}]),
        ("doubled", [*GOOD, _started("e2", key="k")]),
        ("changed", [*GOOD_SO_FAR, _read("failed", error="x"), SUCCESS]),
        ("changed", [*GOOD_SO_FAR, _read("pending"), SUCCESS]),
        ("changed", [*GOOD_SO_FAR, _read("success", {"of": "another"}), SUCCESS]),
        ("changed", [*GOOD_SO_FAR, _reported({"of": "another"}), SUCCESS]),
        ("changed", [*GOOD_SO_FAR, _reported("no", "error"), SUCCESS]),
        ("changed", [_accepted(), _started(), _reporting(), _reported(), _final("failed", error="x")]),
        ("changed", [_started(), _reporting(), _reported()]),
        ("invented", [_accepted(), _final("success", _RESULT, charges=1)]),
        ("invented", [_accepted(), _started(), _final("success", _RESULT, charges=1)]),
        ("miscounted", [*GOOD_SO_FAR, _final("success", _RESULT, charges=0)]),
        ("miscounted", [*GOOD_SO_FAR, _final("success", _RESULT, charges=2)]),
        ("miscounted", [_accepted(), _final("failed", error="x", charges=1)]),
        ("miscounted", [*GOOD, _balance(balance=8)]),
        ("miscounted", [*GOOD, _balance(unsettled=1)]),
        ("changed", [*GOOD, _cancelled()]),
        ("changed", [_accepted(), _cancelled(), _final("failed", error="n8n refused")]),
        ("changed", [_started(), _reporting(), _reported(), _cancelled(), ENDED_CANCELLED]),
        ("untold", [*GOOD, _subscribed("late")]),
        ("untold", [*GOOD, _told(identifier="evt_2")]),
        ("untold", [*GOOD, _told("failed")]),
        ("untold", [*GOOD, _told(to="failures")]),
        ("untold", [*GOOD, _told(signed=False)]),
        ("untold", [*GOOD, {**_told(), "type": "execution.failed"}]),
        ("untold", [*GOOD, {**_told(), "execution": "e2"}]),
    ],
)
def test_a_history_with_a_broken_promise_is_rejected(kind: str, history: list[Event]) -> None:
    assert kind in {violation.kind for violation in violations(history)}

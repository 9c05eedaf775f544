"""No stored secret is forgotten by a rotation, and no key is retired too early."""

from __future__ import annotations

import ast
import inspect
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from shared.errors import Conflict
from shared.model.keys import KeyRotation
from shared.services import secrets
from shared.services.keys import holdings
from shared.services.keys.rotate import refuse_early_retirement
from shared.vault.context import Context

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGE, IN_FLIGHT = timedelta(minutes=15), timedelta(hours=24)


def test_every_place_a_secret_is_sealed_for_is_walked_through() -> None:
    module = ast.parse(inspect.getsource(secrets))
    makers = {
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef)
        and isinstance(node.returns, ast.Name)
        and node.returns.id == Context.__name__
    }

    used = {
        node.id for node in ast.walk(ast.parse(inspect.getsource(holdings))) if isinstance(node, ast.Name)
    }

    assert makers
    assert makers - used == set()


DAY = 24 * 60
CASES = list(product((None, -1, 0, 14, 15, 60), (None, 61), (60, 61 + DAY - 1, 61 + DAY)))


@pytest.mark.parametrize(("started", "ended", "asked"), CASES)
def test_a_key_is_retired_only_when_nothing_can_be_sealed_with_it(
    started: int | None, ended: int | None, asked: int
) -> None:
    """The times are minutes after the rotation."""
    walked = {"walk_started_at": _moment(started), "walk_ended_at": _moment(ended)}
    rotation = KeyRotation(version=2, rotated_at=NOON, **walked)
    is_safe = started is not None and ended is not None and started >= 15 and asked >= ended + DAY
    refusal = nullcontext() if is_safe else pytest.raises(Conflict, match="cannot be retired")

    with refusal:
        refuse_early_retirement(rotation, NOON + timedelta(minutes=asked), key_age=AGE, in_flight=IN_FLIGHT)


def _moment(minutes: int | None) -> datetime | None:
    return None if minutes is None else NOON + timedelta(minutes=minutes)

"""What an order to look after tokens comes to, in every state a connection may be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from shared.model.integrations import ContextType, Integration
from shared.model.integrations.connection import Care, care

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATES = list(product((True, False), (None, -1, 1), (True, False), (True, False)))


def _connection(valid: bool, until: int | None, in_n8n: bool, refreshable: bool) -> Integration:
    return Integration(
        organization_id="o",
        integration_id="slack",
        context_type=ContextType.ORGANIZATION,
        holder="organization",
        backend_id="b",
        secrets={"accessToken": "a", **({"refreshToken": "r"} if refreshable else {})},
        has_valid_tokens=valid,
        connected_at=NOON,
        connected_by="u",
        token_version="mine",
        next_version=None if in_n8n else "next",
        in_n8n=in_n8n,
        refreshing_until=None if until is None else NOON + timedelta(minutes=until),
    )


@pytest.mark.parametrize(("valid", "until", "in_n8n", "refreshable"), STATES)
def test_every_state_has_one_answer(valid: bool, until: int | None, in_n8n: bool, refreshable: bool) -> None:
    connection = _connection(valid, until, in_n8n, refreshable)
    if not valid:
        expected = Care.LAPSE
    elif until == 1:
        expected = Care.WAIT
    elif not in_n8n:
        expected = Care.STORE
    else:
        expected = Care.REFRESH if refreshable else Care.LAPSE

    assert care(connection, "mine", NOON) is expected


@pytest.mark.parametrize(("valid", "until", "in_n8n", "refreshable"), STATES)
def test_orders_for_other_tokens_change_nothing(
    valid: bool, until: int | None, in_n8n: bool, refreshable: bool
) -> None:
    connection = _connection(valid, until, in_n8n, refreshable)

    assert care(connection, "older", NOON) is Care.NOTHING
    assert care(None, "mine", NOON) is Care.NOTHING


def test_an_order_that_is_early_waits_for_its_tokens_to_be_in_n8n() -> None:
    assert care(_connection(True, None, False, True), "next", NOON) is Care.WAIT
    assert care(_connection(False, None, False, True), "next", NOON) is Care.LAPSE

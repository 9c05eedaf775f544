"""The life of a one-time code: every state at every moment, and hours that never hold too much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.otp import OneTimeCode, RequestWindow, SignupAttempt
from shared.services.accounts.lifecycle import (
    COMPLETION,
    LIFETIME,
    RESEND_AFTER,
    WINDOW,
    WRONG_TRIES,
    State,
    counted,
    issued,
    resend_in,
    state_of,
    tries_left,
)

NOON = datetime(2026, 4, 4, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
USED = {False: None, True: NOON}
TRIES = range(WRONG_TRIES + 2)
ATTEMPTS = {None: None, "running": COMPLETION, "over": -INSTANT}
AGES = (timedelta(0), RESEND_AFTER - INSTANT, RESEND_AFTER, LIFETIME - INSTANT, LIFETIME, timedelta(days=1))


def expected(used: bool, tries: int, attempt: str | None, age: timedelta) -> State:
    """The table, as platform §4 has it."""
    if used:
        return State.USED
    if attempt == "running":
        return State.BUSY
    if tries >= 5:
        return State.LOCKED
    return State.EXPIRED if age >= timedelta(minutes=10) else State.LIVE


def code(used: bool, tries: int, attempt: str | None, age: timedelta) -> OneTimeCode:
    ends = ATTEMPTS[attempt]
    return issued(None, "00", NOON - age).model_copy(
        update={
            "used_at": USED[used],
            "wrong_tries": tries,
            "attempt": None
            if ends is None
            else SignupAttempt(organization_id="o", user_id="u", ends_at=NOON + ends),
        }
    )


@pytest.mark.parametrize(("used", "tries", "attempt", "age"), [*product(USED, TRIES, ATTEMPTS, AGES)])
def test_every_code_is_in_exactly_the_state_of_the_table(
    used: bool, tries: int, attempt: str | None, age: timedelta
) -> None:
    assert state_of(code(used, tries, attempt, age), NOON) is expected(used, tries, attempt, age)


@pytest.mark.parametrize(("used", "tries", "attempt", "age"), [*product(USED, TRIES, ATTEMPTS, AGES)])
def test_the_next_code_waits_half_a_minute_unless_this_one_was_used(
    used: bool, tries: int, attempt: str | None, age: timedelta
) -> None:
    seconds = resend_in(code(used, tries, attempt, age), NOON)

    if used:
        assert seconds == 0
    elif attempt == "running":
        assert seconds == 60
    else:
        assert seconds == {timedelta(0): 30, RESEND_AFTER - INSTANT: 1}.get(age, 0)


def test_nothing_is_absent_and_waits_for_nothing() -> None:
    assert state_of(None, NOON) is State.ABSENT
    assert resend_in(None, NOON) == 0


def test_a_new_code_starts_afresh_and_keeps_the_ids_of_a_broken_off_sign_up() -> None:
    before = code(False, 5, "over", timedelta(minutes=3))

    new = issued(before, "11", NOON)

    assert (state_of(new, NOON), tries_left(new)) == (State.LIVE, 5)
    assert new.attempt == before.attempt
    assert issued(before.model_copy(update={"used_at": NOON}), "11", NOON).attempt is None


def test_tries_left_never_go_below_none() -> None:
    assert [tries_left(code(False, tries, None, INSTANT)) for tries in TRIES] == [5, 4, 3, 2, 1, 0, 0]


@given(
    pauses=st.lists(st.integers(0, 4000), max_size=60).map(lambda s: [timedelta(seconds=x) for x in s]),
    limit=st.integers(1, 6),
)
def test_no_hour_holds_more_requests_than_allowed_and_none_is_refused_that_fits(
    pauses: list[timedelta], limit: int
) -> None:
    window: RequestWindow | None = None
    taken: list[datetime] = []
    now = NOON
    for pause in pauses:
        now += pause
        in_the_last_hour = [moment for moment in taken if moment > now - WINDOW]
        new = counted(window, limit, now)
        assert (new is not None) == (len(in_the_last_hour) < limit)
        if new is not None:
            window = new
            taken.append(now)
            assert len(new.moments) <= limit
            assert new.expire_at == now + WINDOW

"""Counting requests in memory (decision 0009)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.services.ratelimits import WINDOW, RateLimit
from shared.services.recent import Recent


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limit(quota: int, clock: Clock, capacity: int = 100) -> RateLimit:
    return RateLimit("key", quota, capacity=capacity, clock=clock)


def exceeded(limited: RateLimit, holder: str = "a") -> bool:
    standing = limited.take(holder)
    assert standing is not None
    return standing.is_exceeded


def test_the_whole_quota_may_be_used_at_once_and_no_more() -> None:
    limited = limit(3, Clock())

    assert [exceeded(limited) for _ in range(5)] == [False, False, False, True, True]


def test_one_callers_requests_do_not_count_for_another() -> None:
    limited = limit(1, Clock())

    assert [exceeded(limited, holder) for holder in ("a", "b", "a")] == [False, False, True]


def test_after_the_time_it_names_one_more_request_is_taken() -> None:
    clock = Clock()
    limited = limit(2, clock)
    exceeded(limited)
    exceeded(limited)
    standing = limited.take("a")
    assert standing is not None
    assert (standing.remaining, standing.retry_in, standing.resets_in) == (0, 30, 60)

    clock.now += standing.retry_in

    assert [exceeded(limited), exceeded(limited)] == [False, True]


def test_a_quota_of_nothing_limits_nobody() -> None:
    assert limit(0, Clock()).take("a") is None


def test_what_is_given_back_was_never_taken() -> None:
    limited = limit(1, Clock())
    exceeded(limited)
    limited.give_back("a")
    limited.give_back("somebody never seen")

    assert [exceeded(limited), exceeded(limited)] == [False, True]


def test_memory_is_bounded_and_the_busiest_are_remembered() -> None:
    limited = limit(5, Clock(), capacity=10)
    for number in range(1000):
        exceeded(limited, "busy")
        exceeded(limited, str(number))

    assert len(limited) == 10
    assert exceeded(limited, "busy")


@given(
    quota=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 20), min_size=1, max_size=200),
)
def test_in_any_stretch_of_time_nobody_gets_more_than_the_quota_and_its_refill(
    quota: int, gaps: list[float]
) -> None:
    clock = Clock()
    limited = limit(quota, clock)
    taken: list[float] = []
    for gap in gaps:
        clock.now += gap
        standing = limited.take("a")
        assert standing is not None
        assert 0 <= standing.remaining <= quota
        assert 0 <= standing.resets_in <= WINDOW
        if not standing.is_exceeded:
            taken.append(clock.now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            stretch = taken[last] - start
            assert last - first + 1 <= quota + stretch * quota / WINDOW + 1e-6


def test_what_happened_lately_is_news_again_after_its_time() -> None:
    clock = Clock()
    recent = Recent(60, clock=clock)

    assert [recent.is_new("a"), recent.is_new("a"), recent.is_new("b")] == [True, False, True]
    clock.now += 60
    assert "a" not in recent
    assert recent.is_new("a")
    assert "a" in recent


@pytest.mark.parametrize("count", [3, 1000])
def test_only_so_much_is_remembered(count: int) -> None:
    recent = Recent(60, capacity=3, clock=Clock())
    for number in range(count):
        recent.is_new(number)

    assert [recent.is_new(number) for number in range(count - 3, count)] == [False] * 3

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.local.tasks.backoff import UNLIMITED, RetryPolicy
from infra.local.tasks.bucket import TokenBucket
from infra.local.tasks.delivery import retry_after
from infra.local.tasks.times import DAY, SECOND

policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(-1, 200).filter(bool),
    max_retry_duration=st.integers(0, DAY),
    min_backoff=st.integers(1, 10 * SECOND),
    max_backoff=st.integers(10 * SECOND, DAY),
    max_doublings=st.integers(0, 2**31 - 1),
)


def test_the_documented_example_of_the_backoff_holds() -> None:
    policy = RetryPolicy(min_backoff=10 * SECOND, max_backoff=300 * SECOND, max_doublings=3)
    delays = [policy.delay(failures) // SECOND for failures in range(1, 9)]
    assert delays == [10, 20, 40, 80, 160, 240, 300, 300]


@given(policies, st.integers(1, 10**6))
def test_a_delay_lies_between_the_bounds_and_never_shrinks(policy: RetryPolicy, failures: int) -> None:
    delay = policy.delay(failures)
    assert policy.min_backoff <= delay <= policy.max_backoff
    assert policy.delay(failures + 1) >= delay


@given(policies, st.integers(1, 40))
def test_a_delay_is_what_doubling_and_adding_gives(policy: RetryPolicy, failures: int) -> None:
    delay = step = policy.min_backoff
    for failure in range(2, failures + 1):
        if failure - 1 <= policy.max_doublings:
            delay = step = step * 2
        else:
            delay += step
    assert policy.delay(failures) == min(delay, policy.max_backoff)


@given(policies, st.integers(1, 300), st.integers(0, 2 * DAY))
def test_a_task_is_given_up_only_when_each_limit_there_is_has_been_reached(
    policy: RetryPolicy, attempts: int, elapsed: int
) -> None:
    given_up = policy.exhausted(attempts, elapsed, elapsed)
    by_count = policy.max_attempts != UNLIMITED
    by_time = policy.max_retry_duration > 0
    reached = (not by_count or attempts >= policy.max_attempts) and (
        not by_time or elapsed >= policy.max_retry_duration
    )
    assert given_up == (reached and (by_count or by_time))


def test_a_task_without_limits_is_given_up_after_thirty_one_days() -> None:
    policy = RetryPolicy(max_attempts=UNLIMITED)
    assert not policy.exhausted(10**6, 31 * DAY, 31 * DAY)
    assert policy.exhausted(1, 0, 31 * DAY + 1)


@given(
    st.floats(0.01, 500),
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(0, 200)), max_size=50),
)
def test_a_bucket_never_lets_through_more_than_burst_and_rate(
    rate: float, burst: int, steps: list[tuple[int, int]]
) -> None:
    now, taken = 0, 0
    bucket = TokenBucket(rate, burst, now)
    for pause, wanted in steps:
        now += pause
        count = min(wanted, bucket.available(now))
        bucket.take(count)
        taken += count
        assert taken <= burst + now * rate / SECOND + 0.01


@given(st.floats(0.01, 500), st.integers(1, 100))
def test_an_empty_bucket_has_a_token_after_its_wait(rate: float, burst: int) -> None:
    bucket = TokenBucket(rate, burst, 0)
    bucket.take(bucket.available(0))
    assert bucket.available(0) == 0
    assert bucket.available(bucket.wait()) >= 1


def test_a_clock_that_steps_back_earns_no_tokens() -> None:
    bucket = TokenBucket(10.0, 5, 100 * SECOND)
    bucket.take(bucket.available(100 * SECOND))
    assert bucket.available(50 * SECOND) == 0
    assert bucket.available(51 * SECOND) == 5


@given(st.text(max_size=12))
def test_any_retry_after_is_a_delay_of_at_most_an_hour(value: str) -> None:
    assert 0 <= retry_after(value) <= 3600 * SECOND


def test_a_retry_after_in_seconds_is_understood() -> None:
    assert retry_after("120") == 120 * SECOND
    assert retry_after("Wed, 21 Oct 2026 07:28:00 GMT") == retry_after("-5") == retry_after("nan") == 0

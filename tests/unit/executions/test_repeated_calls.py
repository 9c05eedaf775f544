"""What a call is that bears the key of an earlier one: every state, the same body and another (0021)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.executions.repetition import Standing, standing
from shared.model.remembered import RememberedCall
from shared.services.runs.idempotency import fingerprint_of
from shared.store import refs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
seconds = st.integers(min_value=-100_000, max_value=100_000).map(lambda n: timedelta(seconds=n))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcü"), inner, max_size=4),
    max_leaves=8,
)
names = st.lists(st.text(max_size=6), min_size=1, max_size=4)


def remembered(accepted: bool, lease: timedelta, expiry: timedelta) -> RememberedCall:
    return RememberedCall(
        organization_id="o",
        process_instance_id="i",
        execution_id="e",
        fingerprint="f",
        accepted=accepted,
        lease_until=NOW + lease,
        expire_at=NOW + expiry,
    )


def reversed_keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: reversed_keys(inner) for key, inner in reversed(value.items())}
    return [reversed_keys(inner) for inner in value] if isinstance(value, list) else value


@given(st.booleans(), seconds, seconds, st.booleans())
def test_every_state_has_one_answer(accepted: bool, lease: timedelta, expiry: timedelta, same: bool) -> None:
    stands = standing(remembered(accepted, lease, expiry), "f" if same else "g", NOW)

    if expiry <= timedelta(0):
        assert stands is Standing.FRESH
    elif not same:
        assert stands is Standing.DIFFERENT
    elif accepted:
        assert stands is Standing.REPEATED
    else:
        assert stands is (Standing.RUNNING if lease > timedelta(0) else Standing.ABANDONED)


def test_nothing_remembered_is_a_fresh_call() -> None:
    assert standing(None, "f", NOW) is Standing.FRESH


@given(json_values)
def test_the_order_of_keys_does_not_make_another_payload(payload: object) -> None:
    assert fingerprint_of(payload) == fingerprint_of(reversed_keys(payload))


@given(json_values, json_values)
def test_different_payloads_have_different_fingerprints(one: object, other: object) -> None:
    # True equals 1 in Python, and not in JSON.
    assert (fingerprint_of(one) == fingerprint_of(other)) == (
        repr(with_sorted_keys(one)) == repr(with_sorted_keys(other))
    )


def with_sorted_keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: with_sorted_keys(value[key]) for key in sorted(value)}
    return [with_sorted_keys(inner) for inner in value] if isinstance(value, list) else value


@given(names, names)
def test_no_two_scopes_share_an_address(one: list[str], other: list[str]) -> None:
    same = refs.remembered_call(*one) == refs.remembered_call(*other)

    assert same == (one == other)

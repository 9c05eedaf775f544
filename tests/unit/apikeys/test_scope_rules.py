"""What a key may be given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Forbidden, InvalidRequest
from shared.model.apikey import ApiKey, KeyKind
from shared.model.scopes import LEGACY_SCOPES, ORGANIZATION_SCOPES, Scope
from shared.services.apikeys.rules import end_of_life, granted_scopes, require_held

NOW = datetime(2026, 4, 4, tzinfo=UTC)
VALID = [scope.value for scope in ORGANIZATION_SCOPES]

valid_lists = st.lists(st.sampled_from([*VALID, *LEGACY_SCOPES]), min_size=1, max_size=15)
scope_sets = st.sets(st.sampled_from(ORGANIZATION_SCOPES))


def key(kind: KeyKind, scopes: set[Scope]) -> ApiKey:
    return ApiKey(
        key_id="k",
        kind=kind,
        key_prefix=kind.prefix,
        name="n",
        scopes=[scope.value for scope in scopes],
        user_id="u",
        created_at=NOW,
    )


@given(valid_lists)
def test_valid_scopes_are_granted_in_their_order_each_once(wanted: list[str]) -> None:
    granted = [scope.value for scope in granted_scopes(wanted)]

    assert granted == list(dict.fromkeys(LEGACY_SCOPES.get(name, name) for name in wanted))
    assert granted_scopes(granted) == granted_scopes(wanted)


@given(valid_lists, st.text(max_size=30).filter(lambda text: text not in {*VALID, *LEGACY_SCOPES}), st.data())
def test_one_invalid_scope_anywhere_refuses_everything_and_is_named(
    wanted: list[str], wrong: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(wanted)))

    with pytest.raises(InvalidRequest) as caught:
        granted_scopes([*wanted[:place], wrong, *wanted[place:]])

    assert f"Invalid scope: {wrong}" in caught.value.message
    assert all(scope in caught.value.message for scope in VALID)
    assert caught.value.details["index"] == place


@given(scope_sets, scope_sets)
def test_an_organizations_key_grants_exactly_what_it_holds(held: set[Scope], wanted: set[Scope]) -> None:
    caller = key(KeyKind.ORGANIZATION, held)

    if wanted <= held:
        require_held(caller, wanted)
        return
    with pytest.raises(Forbidden) as caught:
        require_held(caller, wanted)
    named = {scope for scope in ORGANIZATION_SCOPES if scope.value in caught.value.message}
    assert named == wanted - held


@given(scope_sets, scope_sets, st.sampled_from([KeyKind.PERSONAL, KeyKind.ADMIN]))
def test_personal_and_administrators_keys_are_not_bound_by_their_own_scopes(
    held: set[Scope], wanted: set[Scope], kind: KeyKind
) -> None:
    require_held(key(kind, held), wanted)


@given(st.integers(1, 365))
def test_a_life_is_counted_in_days(days: int) -> None:
    assert end_of_life(NOW, days) - NOW == timedelta(days=days)


@given(
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.text(), st.integers(max_value=0), st.integers(min_value=366)
    )
)
def test_any_other_life_is_refused(days: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        end_of_life(NOW, days)
    assert caught.value.code == "INVALID_EXPIRES_IN_DAYS"

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.vault.context import Context, length_prefixed

contexts = st.builds(Context, *[st.text(alphabet="ab\0\x01é", max_size=3)] * 5)


@given(one=contexts, other=contexts)
def test_two_contexts_have_the_same_bytes_only_when_they_are_equal(one: Context, other: Context) -> None:
    assert (one.encode() == other.encode()) == (one == other)


@given(one=st.lists(st.text(max_size=3)), other=st.lists(st.text(max_size=3)))
def test_lists_of_different_length_never_collide(one: list[str], other: list[str]) -> None:
    assert (length_prefixed(one) == length_prefixed(other)) == (one == other)


def test_moving_a_character_to_the_next_field_changes_the_bytes() -> None:
    assert Context("ab", "c", "", "", "").encode() != Context("a", "bc", "", "", "").encode()


def test_an_id_that_is_no_valid_unicode_still_encodes() -> None:
    odd = Context("\ud800", "member", "", "", "")
    assert odd.encode() != Context("\ud801", "member", "", "", "").encode()

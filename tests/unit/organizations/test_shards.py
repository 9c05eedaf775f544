"""Placing organizations on backends."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.services.organizations.shards import chosen

ids = st.lists(st.text("abcdef", min_size=1, max_size=6), min_size=2, max_size=8, unique=True)


@given(st.text(max_size=20), ids)
def test_the_order_of_backends_does_not_matter(organization: str, backends: list[str]) -> None:
    assert chosen(organization, backends) == chosen(organization, backends[::-1])


@given(st.text(max_size=20), ids, st.data())
def test_a_withdrawn_backend_moves_nobody_elses_place(
    organization: str, backends: list[str], data: st.DataObject
) -> None:
    withdrawn = data.draw(st.sampled_from(backends))
    before, after = (
        chosen(organization, backends),
        chosen(organization, [backend for backend in backends if backend != withdrawn]),
    )

    assert before in (withdrawn, after)


def test_every_backend_gets_its_share() -> None:
    placed = Counter(chosen(f"organization {number}", ["a", "b", "c", "d"]) for number in range(4000))

    assert all(800 < count < 1200 for count in placed.values())
    assert len(placed) == 4

"""Versions X.Y.Z of notes and stage documents (platform §10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.versions import FIRST_OF_NOTE, FIRST_OF_STAGE, Revision

numbers = st.integers(min_value=0, max_value=10**6)
revisions = st.builds(Revision, numbers, numbers, numbers)
small = st.builds(Revision, numbers, *[st.integers(min_value=0, max_value=999)] * 2)


def test_notes_begin_at_zero_and_stage_documents_at_one() -> None:
    assert str(FIRST_OF_NOTE) == "0.0.0"
    assert str(FIRST_OF_STAGE) == "1.0.0"


def test_a_minor_bump_forgets_the_patches() -> None:
    assert str(Revision(0, 0, 5).next_minor()) == "0.1.0"
    assert str(Revision(0, 9, 9).next_patch()) == "0.9.10"


@given(revisions)
def test_a_revision_is_written_as_it_is_read(revision: Revision) -> None:
    assert Revision.parse(str(revision)) == revision


@pytest.mark.parametrize("text", ["", "1.2", "1.2.3.4", "a.b.c", "1..2"])
def test_what_is_no_revision_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Revision.parse(text)


@given(revisions)
def test_every_bump_leads_to_a_greater_revision(revision: Revision) -> None:
    assert revision < revision.next_patch() < revision.next_minor()


@given(small, small)
def test_the_filter_key_sorts_as_the_revisions_do(one: Revision, other: Revision) -> None:
    assert (one.filter_key < other.filter_key) is (one < other)


@given(st.lists(st.booleans(), max_size=30))
def test_a_line_of_versions_has_each_number_once(changes: list[bool]) -> None:
    line = [FIRST_OF_NOTE]
    for major in changes:
        line.append(line[-1].next_minor() if major else line[-1].next_patch())

    assert len(set(line)) == len(line)
    assert line == sorted(line)
    assert line[-1].minor == sum(changes)

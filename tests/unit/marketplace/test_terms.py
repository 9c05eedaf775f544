"""The words a listing is found by."""

from __future__ import annotations

import pytest

from shared.services.marketplace.terms import LONGEST_TERM, MOST_TERMS, terms_of, wanted_terms


@pytest.mark.parametrize(
    ("q", "tags", "found"),
    [
        ("invoice", (), True),
        ("INVOICE reader", (), True),
        ("inv", (), True),
        ("i", (), False),
        ("monthly", (), True),
        ("month", (), False),
        ("", ("Back  Office",), True),
        ("", ("back",), False),
        ("office", (), True),
        ("straße", (), True),
        ("invoice cats", (), False),
        ("", (), True),
        ("!?", (), True),
    ],
)
def test_a_search_finds_words_beginnings_and_whole_tags(q: str, tags: tuple[str, ...], found: bool) -> None:
    terms = terms_of("Invoice Reader", "For the Straße", "Reads them monthly", ["back office"])

    assert (set(wanted_terms(q, tags)) <= set(terms)) is found


def test_a_listing_has_a_bounded_number_of_terms_and_keeps_the_telling_ones() -> None:
    endless = " ".join(f"word{number}" for number in range(10_000))

    terms = terms_of("Title", "", endless, ["Tag"])

    assert len(terms) == MOST_TERMS
    assert terms[:2] == ["#tag", "title"]


def test_a_word_without_end_is_cut_on_both_sides() -> None:
    word = "x" * 1000

    (wanted,) = wanted_terms(word, ())

    assert len(wanted) == LONGEST_TERM
    assert wanted in terms_of(word, "", "", [])


def test_tags_and_long_words_are_asked_for_first() -> None:
    assert wanted_terms("a crocodile", ("Zoo",)) == ["#zoo", "crocodile", "a"]

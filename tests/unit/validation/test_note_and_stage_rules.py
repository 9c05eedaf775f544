"""What a note and a stage document must be (api §5.13, §5.27)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest, InvalidStageDocument
from shared.validation.notes import check_note, word_count
from shared.validation.stages import check_stage_documents

GOOD: dict[str, str | None] = {
    "document_type_id": "brief",
    "title": "Brief",
    "content": "What it is for",
    "summary": "First words",
    "agent_id": None,
}


def refused(**fields: str) -> str | None:
    try:
        check_note(**{**GOOD, **fields})  # type: ignore[arg-type]  # every field that is tried is a text
    except InvalidRequest as error:
        return str(error.details["field"])
    return None


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True))
def test_a_slug_is_a_type(slug: str) -> None:
    assert refused(document_type_id=slug) is None


@given(st.text())
def test_nothing_but_a_slug_is_a_type(text: str) -> None:
    is_slug = re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", text) is not None

    assert refused(document_type_id=text) == (None if is_slug else "documentTypeId")


@given(st.sampled_from(["title", "content", "summary"]), st.text(" \t\n\r\x0b\u2003", max_size=20))
def test_space_alone_says_nothing(field: str, space: str) -> None:
    assert refused(**{field: space}) == field


@given(st.lists(st.from_regex(r"[^\s]+", fullmatch=True)), st.sampled_from([" ", "\n", "\t ", "\n\n "]))
def test_words_are_what_space_separates(words: list[str], space: str) -> None:
    text = space.join(words)

    assert word_count(text) == len(words)
    assert word_count(f" {text} \n") == word_count(text)
    assert word_count(f"{text}{space}{text}") == 2 * word_count(text)


def test_words_of_a_markdown_text_are_counted() -> None:
    assert word_count("") == 0
    assert word_count("# A title\n\n- one\n- two  three") == 8


def stage_document(**fields: object) -> dict[str, object]:
    return {"stage": 1, "title": "Needs", "content": "# Text", "summary": "", **fields}


def test_texts_of_a_stage_document_are_trimmed() -> None:
    (checked,) = check_stage_documents([stage_document(title=" Needs ", content="\n# Text\n", summary=" s ")])

    assert (checked.title, checked.content, checked.summary) == ("Needs", "# Text", "s")


@given(st.lists(st.integers(min_value=-1, max_value=6), min_size=1, max_size=6))
def test_an_upload_holds_each_of_the_four_stages_at_most_once(stages: list[int]) -> None:
    documents = [stage_document(stage=stage) for stage in stages]
    fits = len(set(stages)) == len(stages) and set(stages) <= {1, 2, 3, 4}

    if fits:
        assert [checked.stage for checked in check_stage_documents(documents)] == stages
    else:
        with pytest.raises(InvalidStageDocument):
            check_stage_documents(documents)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_whatever_else_is_sent_is_refused_and_nothing_breaks(sent: object) -> None:
    with pytest.raises(InvalidStageDocument):
        check_stage_documents(sent)

"""Paths of notes and stage documents never leave their project, whatever ids are asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.store import refs

ids = st.text(min_size=0, max_size=30) | st.sampled_from(["..", ".", "a/b", "../../x", "__x__", "a:b", "/"])


@given(ids, ids, ids)
def test_a_note_lies_below_its_project_alone(project: str, kind: str, version: str) -> None:
    segments = refs.note(project, kind, version).path.split("/")

    assert len(segments) == 4
    assert "/".join(segments[:2]) == refs.project(project).path
    assert segments[2] == "notes"
    assert segments[3] not in ("", ".", "..")


@given(ids, st.integers(min_value=1, max_value=4), st.from_regex(r"1\.[0-9]{1,4}\.0", fullmatch=True))
def test_a_stage_document_lies_below_its_project_alone(project: str, stage: int, version: str) -> None:
    for ref, folder in (
        (refs.stage(project, stage), "stages"),
        (refs.stage_document(project, stage, version), "stageDocuments"),
    ):
        assert ref.path.startswith(f"{refs.project(project).path}/{folder}/")
        assert ref.path.count("/") == 3


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True),
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
)
def test_two_versions_share_a_path_only_when_they_are_one(a: str, b: str, one: str, other: str) -> None:
    same = refs.note("p", a, one).path == refs.note("p", b, other).path

    assert same is ((a, one) == (b, other))

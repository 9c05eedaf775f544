"""Project notes with the npm CLI (api §7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import RunningStack


@pytest.fixture
def project_id(codika: CodikaCli) -> str:
    created = codika("project", "create", "--name", "Notes", "--json")
    assert created.code == 0, created.out + created.err
    return str(created.json["data"]["projectId"])


def upsert(codika: CodikaCli, project_id: str, *more: str, stdin: str = "") -> dict[str, object]:
    arguments = ("notes", "upsert", project_id, "--type", "brief", "--summary", "Changed", "--json", *more)
    answer = codika(*arguments, stdin=stdin)
    assert answer.code == 0, answer.out + answer.err
    return dict(answer.json["data"])


def test_notes_upsert_takes_the_content_from_a_flag_a_file_or_stdin(
    codika: CodikaCli, project_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "brief.md"
    file.write_text("# From a file\n")

    written = [
        upsert(codika, project_id, "--content", "From a flag", "--title", "The brief"),
        upsert(codika, project_id, "--file", str(file), "--agent-id", "agent-7"),
        upsert(codika, project_id, "--major-change", stdin="From stdin\n"),
    ]
    history = codika("notes", "get", project_id, "--type", "brief", "--history", "--json")

    assert [(note["version"], note["isNew"]) for note in written] == [
        ("0.0.0", True),
        ("0.0.1", False),
        ("0.1.0", False),
    ]
    assert history.code == 0, history.out + history.err
    notes = history.json["data"]["documents"]
    assert [note["content"].strip() for note in notes] == ["From stdin", "# From a file", "From a flag"]
    assert [note["title"] for note in notes] == ["brief", "brief", "The brief"]
    assert [note["agentId"] for note in notes] == [None, "agent-7", None]


def test_notes_upsert_says_what_it_created(codika: CodikaCli, project_id: str) -> None:
    answer = codika("notes", "upsert", project_id, "--type", "brief", "--summary", "s", "--content", "c")

    assert answer.code == 0, answer.out + answer.err
    assert "brief → v0.0.0" in answer.out


def test_notes_upsert_of_a_type_that_is_none_fails_and_names_the_field(
    codika: CodikaCli, project_id: str
) -> None:
    answer = codika("notes", "upsert", project_id, "--type", "Bad Type", "--summary", "s", "--content", "c")

    assert answer.code == 1
    assert "documentTypeId" in answer.out + answer.err


def test_notes_list_shows_the_current_version_of_every_type(codika: CodikaCli, project_id: str) -> None:
    for content in ("one", "two words"):
        upsert(codika, project_id, "--content", content)
    changelog = ("notes", "upsert", project_id, "--type", "changelog", "--summary", "s", "--content", "c")
    assert codika(*changelog).code == 0

    answer = codika("notes", "list", project_id)
    of_type = codika("notes", "list", project_id, "--type", "changelog", "--json")

    assert answer.code == 0, answer.out + answer.err
    for shown in ('v0.0.1  "brief"', "(2 words)", 'v0.0.0  "changelog"', "2 document(s)"):
        assert shown in answer.out
    assert [note["documentTypeId"] for note in of_type.json["data"]["documents"]] == ["changelog"]


def test_notes_get_shows_the_current_version_its_history_or_one_version(
    codika: CodikaCli, project_id: str
) -> None:
    for content in ("The first text", "The second text"):
        upsert(codika, project_id, "--content", content)

    current = codika("notes", "get", project_id, "--type", "brief")
    history = codika("notes", "get", project_id, "--type", "brief", "--history")
    first = codika("notes", "get", project_id, "--type", "brief", "--target-version", "0.0.0")

    assert (current.code, history.code, first.code) == (0, 0, 0)
    assert "The second text" in current.out
    assert "v0.0.1" in current.out
    assert history.out.index("v0.0.1") < history.out.index("v0.0.0")
    assert "2 version(s)" in history.out
    assert "The first text" in first.out
    assert "superseded" in first.out


def test_notes_get_of_what_nobody_wrote_finds_nothing(codika: CodikaCli, project_id: str) -> None:
    answer = codika("notes", "get", project_id, "--type", "brief")

    assert answer.code == 0
    assert "No document found" in answer.out


def test_notes_are_kept_from_other_organizations(
    codika: CodikaCli, project_id: str, stack: RunningStack
) -> None:
    upsert(codika, project_id, "--content", "confidential")
    stranger = stack.key(1, "ownerKey")

    answers = [
        codika("notes", "list", project_id, key=stranger),
        codika("notes", "get", project_id, "--type", "brief", key=stranger),
        codika(
            "notes", "upsert", project_id, "--type", "x", "--summary", "s", "--content", "c", key=stranger
        ),
    ]

    assert [answer.code for answer in answers] == [1, 1, 1]
    assert all("confidential" not in answer.out + answer.err for answer in answers)
    assert all("access" in answer.out + answer.err for answer in answers)

"""``python -m infra.verify``, as an author calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.verify.__main__ import main
from shared.validation.engine.examples import chain, node, parent, webhook
from shared.validation.engine.folder_examples import folder


@pytest.fixture
def case(tmp_path: Path) -> Path:
    for name, text in folder()().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_that_is_right_is_valid(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(case)]) == 0
    assert "valid: 0 must" in capsys.readouterr().out


def test_what_is_wrong_is_told_with_its_place(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (case / "workflows/main.json").write_text(chain(webhook(), node("Set", "set")))

    assert main([str(case), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)

    assert report["valid"] is False
    assert report["summary"] == {"must": 1, "should": 0, "nit": 1, "fixable": 0}
    assert {(one["rule"], one["path"]) for one in report["findings"]} == {
        ("R10", f"{case}/workflows/main.json"),
        ("CODIKA-INIT", f"{case}/workflows/main.json"),
    }
    assert all(one["line"] > 0 and one["column"] > 0 for one in report["findings"])


def test_sarif_names_rules_levels_and_places(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (case / "workflows/main.json").write_text(chain(webhook(), node("Set", "set")))

    main([str(case), "--sarif"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]

    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"R10", "CODIKA-INIT"}
    assert {(one["ruleId"], one["level"]) for one in run["results"]} == {
        ("R10", "note"),
        ("CODIKA-INIT", "error"),
    }


def test_a_dry_run_shows_and_a_fix_does(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = case / "workflows/main.json"
    wrong = parent(active=True)
    path.write_text(wrong)

    assert main([str(case), "--fix", "--dry-run"]) == 0
    assert '-  "active": true' in capsys.readouterr().out
    assert path.read_text() == wrong
    assert main([str(case), "--fix"]) == 0
    assert path.read_text() == parent()


def test_one_file_can_be_verified_and_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.json"
    path.write_text(parent(active=True))

    assert main([str(path)]) == 1
    assert main([str(path), "--fix"]) == 0
    assert path.read_text() == parent()


def test_what_is_not_there_cannot_be_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    assert "does not exist" in capsys.readouterr().err

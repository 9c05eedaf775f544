"""``python -m infra.verify``, as an author calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.verify.__main__ import main
from shared.validation.engine.examples import chain, node, parent, webhook
from shared.validation.engine.folder_examples import config, folder


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


@pytest.mark.parametrize(("named", "found"), [("name", 1), ("key", 0)])
def test_an_input_schema_is_looked_at_wherever_it_stands(
    case: Path, capsys: pytest.CaptureFixture[str], named: str, found: int
) -> None:
    (case / "config.ts").write_text(config(top=f"inputSchema: [{{ {named}: 'amount', type: 'number' }}],"))

    main([str(case), "--json", "--rules", "INPUT-SCHEMA-FORMAT"])

    rules = [one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]]
    assert rules == ["INPUT-SCHEMA-FORMAT"] * found


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


def rules_of(capsys: pytest.CaptureFixture[str]) -> set[str]:
    return {finding["rule"] for finding in json.loads(capsys.readouterr().out)["findings"]}


@pytest.mark.parametrize(
    ("options", "code", "rules"),
    [
        ((), 1, {"R10", "CODIKA-INIT"}),
        (("--rules", "R10"), 0, {"R10"}),
        (("--rules", "ck-init, R10"), 1, {"R10", "CODIKA-INIT"}),
        (("--rules", "DEFAULT,R2", "--exclude-rules", "r10"), 1, {"CODIKA-INIT"}),
        (("--exclude-rules", "CK-INIT"), 0, {"R10"}),
        (("--severity", "CK-INIT=should"), 0, {"R10", "CODIKA-INIT"}),
        (("--severity", "CK-INIT=should", "--strict"), 1, {"R10", "CODIKA-INIT"}),
        (("--severity", "CK-INIT=nit", "--strict"), 0, {"R10", "CODIKA-INIT"}),
        (("--skip-workflows",), 0, set()),
    ],
)
def test_the_author_says_what_counts(
    case: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    rules: set[str],
) -> None:
    (case / "workflows/main.json").write_text(chain(webhook(), node("Set", "set")))

    assert main([str(case), "--json", *options]) == code
    assert rules_of(capsys) == rules


@pytest.mark.parametrize(
    "options",
    [("--rules", "R99"), ("--exclude-rules", "no"), ("--severity", "R10=bad"), ("--dry-run",), ("--what",)],
)
def test_what_makes_no_sense_is_refused(
    case: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(case), *options])
    assert "error: " in capsys.readouterr().err


def test_a_fix_in_json_says_what_it_did(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (case / "workflows/main.json").write_text(parent(active=True))

    main([str(case), "--fix", "--dry-run", "--json"])
    planned = json.loads(capsys.readouterr().out)
    main([str(case), "--fix", "--json"])
    done = json.loads(capsys.readouterr().out)

    path = f"{case}/workflows/main.json"
    assert [finding["rule"] for finding in planned["wouldFix"]] == ["WORKFLOW-SANITIZATION"]
    assert planned["filesToChange"] == done["filesChanged"] == [path]
    assert planned["diff"].startswith(f"--- a/{path}\n+++ b/{path}\n")
    assert (done["fixed"], done["valid"]) == (planned["wouldFix"], True)


def test_several_are_verified_at_once(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = case.parent / "other.json"
    other.write_text(chain(webhook(), node("Set", "set")))

    assert main([str(case), str(other), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)

    assert {finding["path"] for finding in report["findings"]} == {str(other)}
    assert str(case / "workflows/main.json") in report["filesValidated"]


def test_files_below_folders_are_looked_at_and_links_to_folders_are_not(
    case: Path, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "linked.json").write_text("no workflow")
    (case / "workflows/more").mkdir()
    (case / "workflows/more/deep.json").write_text("no workflow")
    (case / "workflows/link").symlink_to(elsewhere)
    (case / "workflows/round").symlink_to(case / "workflows")

    main([str(case), "--json"])

    found = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["path"] for finding in found if finding["rule"] in ("JSON-001", "JSON-VALID")} == {
        f"{case}/workflows/more/deep.json"
    }


@pytest.mark.parametrize("name", [b'"A\\ud800b"', b'"A\xffb"', b'"A\\udcffb"'])
def test_a_fix_keeps_what_is_no_character(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(parent(active=True).encode().replace(b'"Example"', name))
    before = path.read_bytes()
    assert name in before

    main([str(path), "--fix"])

    assert path.read_bytes() == before.replace(b',\n  "active": true', b"")

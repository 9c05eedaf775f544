"""CLI commands that keep to the user's machine, and the profiles the others choose their key from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import ROOT, RunningStack


@pytest.fixture
def local(stack: RunningStack, tmp_path: Path) -> CodikaCli:
    """The CLI of somebody who never used it."""
    return CodikaCli(stack, tmp_path / "home", stack.owner_key)


@pytest.fixture
def use_case(tmp_path: Path) -> Path:
    folder = tmp_path / "order-desk"
    shutil.copytree(ROOT / "examples" / "order-desk", folder)
    return folder


def _organization(stack: RunningStack, number: int) -> tuple[str, str]:
    organization = stack.content["organizations"][number]
    return organization["organizationId"], organization["name"]


def test_login_saves_a_profile_of_the_keys_organization(local: CodikaCli, stack: RunningStack) -> None:
    organization_id, name = _organization(stack, 0)

    answer = local("login", "--api-key", stack.owner_key)

    assert answer.code == 0, answer.out + answer.err
    assert name in answer.out
    saved = local("use", "--json").json
    assert [profile["organizationId"] for profile in saved["profiles"]] == [organization_id]
    assert saved["activeProfile"] == saved["profiles"][0]["name"]
    assert stack.owner_key not in answer.out


def test_a_key_that_is_refused_is_not_saved(local: CodikaCli) -> None:
    answer = local("config", "set", "--api-key", "cko_" + "x" * 64)

    assert answer.code == 1
    assert local("use", "--json").json == {"activeProfile": None, "profiles": []}


def test_config_set_adds_a_profile_and_use_switches_between_them(
    local: CodikaCli, stack: RunningStack
) -> None:
    for number, name in ((0, "north"), (1, "south")):
        key = stack.key(number, "ownerKey")
        assert local("config", "set", "--api-key", key, "--name", name).code == 0
    assert local("use", "--json").json["activeProfile"] == "south"

    switched = local("use", "north")

    assert switched.code == 0
    assert local("use", "--json").json["activeProfile"] == "north"
    shown = local("config", "show").out
    assert "north" in shown
    assert "south" in shown
    assert stack.owner_key not in shown
    assert local("use", "nobody").code == 1


def test_logout_removes_one_profile_and_config_clear_all(local: CodikaCli, stack: RunningStack) -> None:
    for number, name in ((0, "north"), (1, "south")):
        local("login", "--api-key", stack.key(number, "ownerKey"), "--name", name)

    assert local("logout", "south").code == 0
    remaining = local("use", "--json").json
    assert [profile["name"] for profile in remaining["profiles"]] == ["north"]
    assert local("config", "clear").code == 0
    assert local("use", "--json").json["profiles"] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(local: CodikaCli, shell: str) -> None:
    answer = local("completion", shell)

    assert answer.code == 0
    assert "process-data-ingestion" in answer.out


def test_status_tells_who_one_is_and_where(local: CodikaCli, stack: RunningStack, use_case: Path) -> None:
    local("login", "--api-key", stack.owner_key)

    answer = local("status", str(use_case), "--json")

    status = answer.json
    assert status["identity"]["loggedIn"] is True
    assert status["identity"]["organizationName"] == _organization(stack, 0)[1]
    assert status["useCase"]["name"] == "order-desk"


def test_verify_use_case_passes_what_the_platform_takes(local: CodikaCli, use_case: Path) -> None:
    answer = local("verify", "use-case", str(use_case), "--json")

    assert answer.code == 0, answer.out + answer.err
    assert answer.json["summary"]["must"] == 0


def test_verify_workflow_names_the_rule_that_is_broken(local: CodikaCli, use_case: Path) -> None:
    file = use_case / "workflows" / "take-order.json"
    assert local("verify", "workflow", str(file)).code == 0
    # A parent that never starts its run.
    text = file.read_text().replace('"operation": "initWorkflow"', '"operation": "somethingElse"')
    assert text != file.read_text()
    file.write_text(text)

    answer = local("verify", "workflow", str(file), "--json")

    assert answer.code == 1
    assert "CODIKA-INIT" in json.dumps(answer.json["findings"])


def test_init_without_a_project_writes_a_use_case_and_calls_nobody(local: CodikaCli, tmp_path: Path) -> None:
    folder = tmp_path / "desk"

    answer = local(
        "init",
        str(folder),
        "--name",
        "Desk",
        "--no-project",
        "--no-install",
        "--with-data-ingestion",
        "--json",
    )

    assert answer.code == 0, answer.out + answer.err
    assert answer.json["success"] is True
    assert not (folder / "project.json").exists()
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}
    assert {"version.json", "workflows/main-workflow.json"} <= written
    assert any(path.startswith("data-ingestion/") for path in written)

"""Runs with the npm CLI: triggered, polled, listed, looked into; and the skills agents read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Answer, CodikaCli, deployed_example, instance_of
from tests.support.stack import RunningStack


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with two runs that succeeded and one that failed."""
    folder = deployed_example(codika, tmp_path_factory.mktemp("executions"))
    for payload in ("ok", "fails"):
        _trigger(codika, folder, "take-order", "--payload-file", _payload(folder, payload), "--poll")
    _trigger(codika, folder, "daily-report", "--poll")
    return folder


@pytest.fixture(scope="module")
def instance(folder: Path) -> str:
    return instance_of(folder)


def _payload(folder: Path, name: str) -> str:
    return str(folder / "payloads" / f"{name}.json")


def _trigger(codika: CodikaCli, folder: Path, workflow: str, *options: str) -> Answer:
    return codika("trigger", workflow, "--path", str(folder), *options)


def listed(codika: CodikaCli, instance: str, *options: str) -> list[dict[str, Any]]:
    answer = codika("list", "executions", instance, "--json", *options)
    assert answer.code == 0, answer.out + answer.err
    return list(answer.json["data"]["executions"])


def test_trigger_answers_at_once_with_the_id_of_the_run(codika: CodikaCli, folder: Path) -> None:
    answer = _trigger(codika, folder, "take-order", "--payload-file", _payload(folder, "ok"), "--json")

    assert answer.code == 0, answer.out + answer.err
    assert answer.json["message"] == "Execution started"
    assert answer.json["executionId"]


@pytest.mark.parametrize(("payload", "code", "status"), [("ok", 0, "success"), ("shortage", 1, "failed")])
def test_trigger_with_poll_writes_the_answer_to_a_file_and_exits_by_how_the_run_ended(
    codika: CodikaCli, folder: Path, tmp_path: Path, payload: str, code: int, status: str
) -> None:
    file = tmp_path / "result.json"
    options = ["--payload-file", _payload(folder, payload), "--poll", "-o", str(file)]

    answer = _trigger(codika, folder, "take-order", *options)

    assert answer.code == code, answer.out + answer.err
    written = json.loads(file.read_text())
    assert set(written) == {"success", "execution", "requestId"}
    assert written["execution"]["status"] == status
    shown = {"executionId", "status", "createdAt", "duration"}
    assert set(written["execution"]) == shown | {"resultData" if code == 0 else "errorDetails"}


@pytest.mark.parametrize(
    ("workflow", "payload", "said"),
    [
        ("take-order", "refused", "quantity"),
        ("no-such-workflow", "ok", "not found"),
        ("price-order", "ok", "cannot be triggered"),
    ],
)
def test_a_trigger_that_is_refused_says_why_and_exits_with_one(
    codika: CodikaCli, folder: Path, workflow: str, payload: str, said: str
) -> None:
    answer = _trigger(codika, folder, workflow, "--payload-file", _payload(folder, payload), "--json")

    assert answer.code == 1
    assert said in answer.out


def test_list_executions_shows_the_newest_first_with_what_went_wrong(
    codika: CodikaCli, folder: Path, instance: str
) -> None:
    rows = listed(codika, instance)
    assert [row["createdAt"] for row in rows] == sorted((row["createdAt"] for row in rows), reverse=True)
    assert {row["workflowId"] for row in rows} == {"take-order", "daily-report"}
    table = codika("list", "executions", instance)
    assert table.code == 0, table.out + table.err
    assert "[Reserve Stock]" in table.out


def test_list_executions_filters_by_workflow_failure_and_limit(
    codika: CodikaCli, folder: Path, instance: str
) -> None:
    reports = listed(codika, instance, "--workflow-id", "daily-report")
    assert {row["workflowId"] for row in reports} == {"daily-report"}
    failed = listed(codika, instance, "--failed-only")
    assert failed
    assert {row["status"] for row in failed} == {"failed"}
    assert all(row["errorDetails"]["message"] for row in failed)
    assert listed(codika, instance, "--workflow-id", "daily-report", "--failed-only") == []
    assert len(listed(codika, instance, "--limit", "1")) == 1
    assert listed(codika, instance, "--workflow-id", "unknown") == []


def test_list_executions_of_somebody_elses_instance_is_refused(
    codika: CodikaCli, instance: str, stack: RunningStack
) -> None:
    answer = codika("list", "executions", instance, "--json", key=stack.key(1, "ownerKey"))
    assert answer.code == 1
    assert "access to this process instance" in answer.out


@pytest.mark.parametrize("options", [[], ["--deep"], ["--slim"], ["--deep", "--slim"]])
def test_get_execution_shows_as_much_of_n8ns_record_as_is_asked_for(
    codika: CodikaCli, folder: Path, instance: str, tmp_path: Path, options: list[str]
) -> None:
    run = next(row for row in listed(codika, instance) if row["status"] == "success")
    file = tmp_path / "run.json"
    named = [run["executionId"], "--process-instance-id", instance]

    saved = codika("get", "execution", *named, *options, "-o", str(file))
    shown = codika("get", "execution", *named, *options)

    assert saved.code == 0, saved.out + saved.err
    text = file.read_text()
    assert set(json.loads(text)) == {"success", "execution", "requestId"}
    assert ("_subExecutions" in text) is ("--deep" in options)
    assert ('"pairedItem"' in text) is ("--slim" not in options)
    assert shown.code == 0
    assert "Nodes Executed" in shown.out
    assert run["n8nExecutionId"] in shown.out


def test_get_execution_of_a_run_nobody_made_fails(codika: CodikaCli, instance: str) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    answer = codika("get", "execution", unknown, "--process-instance-id", instance, "--json")
    assert answer.code == 1
    assert "not found" in answer.out


def instance_key(stack: RunningStack, instance: str) -> str:
    """Have the owner reveal the installation's own key."""
    answer = httpx.post(
        f"{stack.base_url}/revealInstanceKey",
        json={"processInstanceId": instance},
        headers={"X-API-Key": stack.owner_key},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["apiKey"])


@pytest.mark.parametrize("whose", ["the organization's", "the installation's"])
def test_get_skills_writes_one_file_for_each_with_either_key(
    codika: CodikaCli, instance: str, stack: RunningStack, tmp_path: Path, whose: str
) -> None:
    key = None if whose == "the organization's" else instance_key(stack, instance)

    answer = codika("get", "skills", instance, "-o", str(tmp_path), key=key)
    listed = codika("get", "skills", instance, "--json", key=key)

    assert answer.code == 0, answer.out + answer.err
    files = sorted(tmp_path.glob("*/SKILL.md"))
    skills = listed.json["skills"]
    assert len(files) == listed.json["skillCount"] == 2
    assert [file.parent.name for file in files] == sorted(skill["name"] for skill in skills)
    for file, skill in zip(files, sorted(skills, key=lambda s: str(s["name"])), strict=True):
        assert file.read_text() == skill["contentMarkdown"]
        assert set(skill) == {"name", "description", "workflowTemplateId", "contentMarkdown", "relativePath"}


def test_get_skills_with_the_key_of_another_instance_is_refused(
    codika: CodikaCli, instance: str, stack: RunningStack, tmp_path: Path
) -> None:
    key = instance_key(stack, instance)
    other = deployed_example(codika, tmp_path, "feedback-inbox")

    answer = codika("get", "skills", instance_of(other), "--json", key=key)

    assert answer.code != 0
    assert "access to this process instance" in answer.out + answer.err

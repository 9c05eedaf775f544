"""Installations with the npm CLI: listed, shown, paused and resumed in a real n8n."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli, deployed_example, instance_of
from tests.support.stack import RunningStack

WORKFLOWS = {"take-order", "daily-report", "check-stock", "price-order", "summarise"}


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed_example(codika, tmp_path_factory.mktemp("instances"))


@pytest.fixture(scope="module")
def instance(folder: Path) -> str:
    return instance_of(folder)


def listed(codika: CodikaCli, *options: str, key: str | None = None) -> list[dict[str, Any]]:
    answer = codika("list", "instances", "--json", *options, key=key)
    assert answer.code == 0, answer.out + answer.err
    return list(answer.json["data"]["instances"])


def running_in_n8n(stack: RunningStack, instance: str) -> int:
    """How many workflows of an installation n8n has published."""
    answer = httpx.get(
        f"{stack.content['n8nUrl']}/api/v1/workflows?limit=250&active=true",
        headers={"X-N8N-API-KEY": stack.content["n8nApiKey"]},
        trust_env=False,
    )
    return len([w for w in answer.json()["data"] if instance in w["name"] and w["active"]])


def triggered(codika: CodikaCli, folder: Path) -> Any:
    payload = str(folder / "payloads" / "ok.json")
    options = ["--path", str(folder), "--payload-file", payload, "--poll", "--json"]
    return codika("trigger", "take-order", *options)


def test_list_instances_shows_the_installation_as_active(codika: CodikaCli, instance: str) -> None:
    (row,) = [row for row in listed(codika) if row["processInstanceId"] == instance]
    assert (row["environment"], row["isActive"], row["currentVersion"]) == ("dev", True, "1.0")
    table = codika("list", "instances", "--limit", "100")
    assert table.code == 0
    assert row["title"] in table.out
    assert "active" in table.out


def test_list_instances_filters_by_environment_and_limit(codika: CodikaCli, instance: str) -> None:
    dev = [row["processInstanceId"] for row in listed(codika, "--environment", "dev")]
    assert instance in dev
    prod = listed(codika, "--environment", "prod")
    assert instance not in [row["processInstanceId"] for row in prod]
    assert {row["environment"] for row in prod} <= {"prod"}
    assert listed(codika, "--environment", "nowhere") == []
    assert len(listed(codika, "--limit", "1")) == 1


def test_list_instances_of_the_other_organization_does_not_show_it(
    codika: CodikaCli, instance: str, stack: RunningStack
) -> None:
    theirs = listed(codika, "--limit", "100", key=stack.key(1, "ownerKey"))
    assert instance not in [row["processInstanceId"] for row in theirs]


def test_get_instance_shows_status_version_and_parameters(
    codika: CodikaCli, folder: Path, instance: str
) -> None:
    answer = codika("get", "instance", "--path", str(folder))
    assert answer.code == 0, answer.out + answer.err
    assert "deployed (active)" in answer.out
    assert "1.0" in answer.out
    assert "CURRENCY" in answer.out
    data = codika("get", "instance", instance, "--json").json["data"]
    entries = data["deployment"]["workflows"]
    assert {entry["workflowId"] for entry in entries} == WORKFLOWS
    assert all(set(entry) == {"workflowId", "n8nWorkflowId", "workflowName"} for entry in entries)


def test_get_instance_with_workflows_shows_how_each_starts(codika: CodikaCli, instance: str) -> None:
    answer = codika("get", "instance", instance, "--workflows")
    assert answer.code == 0, answer.out + answer.err
    assert "http (POST)" in answer.out
    assert "schedule (" in answer.out
    assert "subworkflow" in answer.out
    assert "credits" in answer.out
    assert "/webhook/" not in codika("get", "instance", instance, "--workflows", "--json").out


def test_get_instance_of_an_id_nobody_has_fails(codika: CodikaCli) -> None:
    answer = codika("get", "instance", "00000000-0000-7000-8000-000000000000", "--json")
    assert answer.code == 1
    assert "not found" in answer.out.lower()


def test_a_deactivated_instance_runs_nothing_until_it_is_activated(
    codika: CodikaCli, folder: Path, instance: str, stack: RunningStack
) -> None:
    assert running_in_n8n(stack, instance) == 5

    off = codika("instance", "deactivate", instance)
    assert off.code == 0, off.out + off.err
    assert "5 " in off.out
    assert running_in_n8n(stack, instance) == 0
    refused = triggered(codika, folder)
    assert refused.code == 1
    assert "not active" in refused.out
    assert "deployed (paused)" in codika("get", "instance", instance).out
    (row,) = [row for row in listed(codika) if row["processInstanceId"] == instance]
    assert row["inactiveReason"] == "user_paused"
    assert "paused" in codika("list", "instances").out

    again = codika("instance", "deactivate", instance, "--json")
    assert (again.code, again.json["data"]["workflowCount"]) == (0, 0)

    on = codika("instance", "activate", "--path", str(folder))
    assert on.code == 0, on.out + on.err
    assert "5 activated" in on.out
    assert running_in_n8n(stack, instance) == 5
    ran = triggered(codika, folder)
    assert ran.code == 0, ran.out + ran.err


def test_an_instance_switched_off_and_on_at_once_takes_runs(
    codika: CodikaCli, folder: Path, instance: str
) -> None:
    for _ in range(3):
        assert codika("instance", "deactivate", instance).code == 0
        assert codika("instance", "activate", instance).code == 0
        ran = triggered(codika, folder)
        assert ran.code == 0, ran.out + ran.err


def test_a_redeploy_of_a_paused_instance_leaves_n8n_as_the_list_says(
    codika: CodikaCli, folder: Path, instance: str, stack: RunningStack
) -> None:
    assert codika("instance", "deactivate", instance).code == 0

    assert codika("deploy", "use-case", str(folder), "--json").code == 0

    (row,) = [row for row in listed(codika) if row["processInstanceId"] == instance]
    assert running_in_n8n(stack, instance) == (5 if row["isActive"] else 0)
    assert codika("instance", "activate", instance).code == 0
    assert triggered(codika, folder).code == 0


def test_an_archived_instance_is_listed_with_archived_alone(
    codika: CodikaCli, instance: str, stack: RunningStack
) -> None:
    def call(name: str) -> None:
        body = {"processInstanceId": instance}
        headers = {"X-API-Key": stack.owner_key}
        url = f"{stack.base_url}/{name}ProcessInstance"
        answer = httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)
        assert answer.status_code == 200, answer.text

    call("archive")
    assert instance not in [row["processInstanceId"] for row in listed(codika)]
    assert instance in [row["processInstanceId"] for row in listed(codika, "--archived")]
    assert "archived" in codika("list", "instances", "--archived").out
    assert running_in_n8n(stack, instance) == 0
    refused = codika("instance", "activate", instance, "--json")
    assert refused.code == 1
    assert "archived" in refused.out

    call("unarchive")
    assert codika("instance", "activate", instance).code == 0
    assert instance in [row["processInstanceId"] for row in listed(codika)]


def test_a_stranger_neither_shows_nor_switches_it(
    codika: CodikaCli, instance: str, stack: RunningStack
) -> None:
    stranger = stack.key(1, "ownerKey")
    for command in (["get", "instance"], ["instance", "deactivate"], ["instance", "activate"]):
        answer = codika(*command, instance, "--json", key=stranger)
        assert answer.code == 1
        assert "access to this process instance" in answer.out

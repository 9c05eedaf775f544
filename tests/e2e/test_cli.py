"""A builder's day with the npm CLI: project, deploy, trigger, look, change, deploy again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import ROOT, RunningStack


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example order-desk, deployed once."""
    folder = tmp_path_factory.mktemp("use-case") / "order-desk"
    shutil.copytree(ROOT / "examples" / "order-desk", folder)
    assert codika("project", "create", "--name", "Order desk", "--path", str(folder)).code == 0
    deployed = codika("deploy", "use-case", str(folder), "--json")
    assert deployed.code == 0, deployed.out + deployed.err
    return folder


def _project(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "project.json").read_text()))


def _payload(folder: Path, name: str) -> str:
    return str(folder / "payloads" / f"{name}.json")


def test_whoami_names_the_organization_and_its_key(codika: CodikaCli, stack: RunningStack) -> None:
    answer = codika("whoami")
    assert answer.code == 0
    assert stack.content["organizations"][0]["organizationId"] in answer.out
    assert "owner key" in answer.out


def test_whoami_with_a_key_nobody_has_does_not_log_in(codika: CodikaCli) -> None:
    answer = codika("login", "--api-key", "cko_" + "x" * 64)
    assert answer.code == 1
    assert "invalid" in (answer.out + answer.err).lower()


def test_the_first_deploy_is_version_one_with_every_workflow_active(folder: Path) -> None:
    assert list(_project(folder)["deployments"]) == ["1.0"]
    info = json.loads(next(folder.glob("deployments/*/process/1.0/deployment-info.json")).read_text())
    assert info["deploymentStatus"] == "deployed"
    assert [w["status"] for w in info["workflowsDeployed"]] == ["active"] * 5


def test_a_triggered_run_is_polled_to_its_result(codika: CodikaCli, folder: Path) -> None:
    answer = codika(
        "trigger",
        "take-order",
        "--path",
        str(folder),
        "--payload-file",
        _payload(folder, "ok"),
        "--poll",
        "--json",
    )
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["status"] == "success"
    assert answer.json["resultData"]["total"] == pytest.approx(64.84)


def test_a_run_that_fails_inside_the_workflow_names_type_message_and_node(
    codika: CodikaCli, folder: Path
) -> None:
    answer = codika(
        "trigger",
        "take-order",
        "--path",
        str(folder),
        "--payload-file",
        _payload(folder, "fails"),
        "--poll",
        "--json",
    )
    assert answer.code == 1
    error = answer.json["errorDetails"]
    assert error["type"] == "node_failure"
    assert "refused to reserve poison" in error["message"]
    assert error["failedNodeName"] == "Reserve Stock"


def test_an_error_the_workflow_reports_itself_keeps_the_type_it_says(codika: CodikaCli, folder: Path) -> None:
    answer = codika(
        "trigger",
        "take-order",
        "--path",
        str(folder),
        "--payload-file",
        _payload(folder, "blocked"),
        "--poll",
        "--json",
    )
    assert answer.code == 1
    assert answer.json["errorDetails"]["type"] == "validation_error"


def test_a_scheduled_workflow_runs_now_through_its_manual_trigger(codika: CodikaCli, folder: Path) -> None:
    answer = codika("trigger", "daily-report", "--path", str(folder), "--poll", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["status"] == "success"


def test_get_execution_shows_n8ns_record_with_sub_workflows_and_no_secret(
    codika: CodikaCli, folder: Path, tmp_path: Path
) -> None:
    run = codika(
        "trigger",
        "take-order",
        "--path",
        str(folder),
        "--payload-file",
        _payload(folder, "ok"),
        "--poll",
        "--json",
    ).json
    file = tmp_path / "execution.json"
    answer = codika(
        "get", "execution", run["executionId"], "--path", str(folder), "--deep", "--slim", "-o", str(file)
    )
    assert answer.code == 0, answer.out + answer.err
    text = file.read_text()
    recorded = json.loads(text)["execution"]
    assert set(recorded) == {"codikaExecutionId", "n8nExecutionId", "status", "n8nExecution"}
    assert "_subExecutions" in text
    assert '"pairedItem"' not in text
    assert '"workflowData"' not in text
    assert "es1_" not in text


def test_a_redeploy_makes_version_1_1_on_the_same_n8n_workflows(codika: CodikaCli, folder: Path) -> None:
    before = json.loads(next(folder.glob("deployments/*/process/1.0/deployment-info.json")).read_text())
    answer = codika("deploy", "use-case", str(folder), "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["version"] == "1.1"
    assert answer.json["processInstanceId"] == before["processInstanceId"]
    ids = {w["workflowTemplateId"]: w["n8nWorkflowId"] for w in answer.json["workflows"]}
    assert ids == {w["workflowTemplateId"]: w["n8nWorkflowId"] for w in before["workflowsDeployed"]}


def test_a_version_that_exists_is_refused(codika: CodikaCli, folder: Path) -> None:
    answer = codika("deploy", "use-case", str(folder), "--target-version", "1.0")
    assert answer.code == 1
    assert "1.0" in answer.out + answer.err


def test_an_agent_reads_the_skills_with_the_instance_key(
    codika: CodikaCli, folder: Path, stack: RunningStack, tmp_path: Path
) -> None:
    instance = _project(folder)["devProcessInstanceId"]
    answer = codika("get", "skills", instance, "-o", str(tmp_path))
    assert answer.code == 0, answer.out + answer.err
    assert len(list(tmp_path.glob("*/SKILL.md"))) == 2


def test_the_other_organization_neither_deploys_nor_triggers(
    codika: CodikaCli, folder: Path, stack: RunningStack
) -> None:
    stranger = stack.key(1, "ownerKey")
    assert codika("deploy", "use-case", str(folder), "--json", key=stranger).code == 1
    answer = codika("trigger", "take-order", "--path", str(folder), key=stranger)
    assert answer.code == 1
    assert "access" in answer.out + answer.err


def test_a_configuration_that_reaches_outside_its_installation_is_refused_before_n8n_sees_it(
    codika: CodikaCli, folder: Path, stack: RunningStack, tmp_path: Path
) -> None:
    evil = tmp_path / "evil"
    shutil.copytree(
        folder, evil, ignore=shutil.ignore_patterns("deployments", "project.json", "version.json")
    )
    file = evil / "workflows" / "take-order.json"
    text = file.read_text().replace("{{SUBWKFL_price-order_LFKWBUS}}", "someOtherTenantsWorkflow")
    assert "someOtherTenantsWorkflow" in text
    file.write_text(text)
    assert codika("project", "create", "--name", "Evil", "--path", str(evil)).code == 0
    answer = codika("deploy", "use-case", str(evil), "--json")
    assert answer.code == 1
    assert answer.json["deploymentStatus"] == "failed"
    workflows = httpx.get(
        f"{stack.content['n8nUrl']}/api/v1/workflows?limit=250",
        headers={"X-N8N-API-KEY": stack.content["n8nApiKey"]},
        trust_env=False,
    ).json()["data"]
    instance = _project(evil)["devProcessInstanceId"]
    assert not [w["name"] for w in workflows if instance in w["name"]]

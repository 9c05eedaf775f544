"""Deploying, publishing and deploying again with the npm CLI, on real n8n."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Answer, CodikaCli
from tests.support.stack import ROOT


def new_folder(codika: CodikaCli, parent: Path, name: str) -> Path:
    """Return a folder of the example order-desk with a project of its own."""
    folder = parent / name
    shutil.copytree(ROOT / "examples" / "order-desk", folder)
    assert codika("project", "create", "--name", name, "--path", str(folder)).code == 0
    return folder


def project_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "project.json").read_text()))


def succeeded(answer: Answer) -> Any:
    """Return the JSON of a command that worked."""
    assert answer.code == 0, answer.out + answer.err
    return answer.json


def deploy(codika: CodikaCli, folder: Path, *flags: str) -> Any:
    return succeeded(codika("deploy", "use-case", str(folder), *flags, "--json"))


def publish(codika: CodikaCli, folder: Path, version: str, *flags: str) -> Answer:
    template = project_of(folder)["deployments"][version]["templateId"]
    return codika("publish", template, "--path", str(folder), *flags, "--json")


def shop_of(codika: CodikaCli, instance_id: str) -> tuple[str, float]:
    """Run an order, and return the shop and the discount of the confirmation."""
    payload = str(ROOT / "examples" / "order-desk" / "payloads" / "ok.json")
    run = succeeded(
        codika(
            *("trigger", "take-order", "--process-instance-id", instance_id),
            *("--payload-file", payload, "--poll", "--json"),
        )
    )
    return run["resultData"]["shop"], run["resultData"]["discount"]


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A use case deployed once."""
    folder = new_folder(codika, tmp_path_factory.mktemp("deployments"), "desk")
    deploy(codika, folder)
    return folder


@pytest.fixture(scope="module")
def production(codika: CodikaCli, folder: Path) -> str:
    """Its first version, published: the production installation."""
    succeeded(publish(codika, folder, "1.0"))
    return str(project_of(folder)["prodProcessInstanceId"])


def test_a_dry_run_deploys_nothing(codika: CodikaCli, tmp_path: Path) -> None:
    folder = new_folder(codika, tmp_path, "dry")

    answer = codika("deploy", "use-case", str(folder), "--dry-run")

    assert answer.code == 0, answer.out + answer.err
    assert "deployments" not in project_of(folder)
    shown = codika("get", "project", project_of(folder)["projectId"], "--json")
    assert succeeded(shown)["data"]["processId"] is None


def test_every_version_flag_makes_the_version_it_stands_for(codika: CodikaCli, tmp_path: Path) -> None:
    folder = new_folder(codika, tmp_path, "versions")
    flags: list[tuple[str, ...]] = [(), (), ("--patch",), ("--minor",), ("--major",)]

    versions = [deploy(codika, folder, *flag)["version"] for flag in flags]
    versions.append(deploy(codika, folder, "--target-version", "7.4")["version"])
    versions.append(deploy(codika, folder)["version"])

    assert versions == ["1.0", "1.1", "1.2", "1.3", "2.0", "7.4", "7.5"]
    assert list(project_of(folder)["deployments"]) == versions


def test_an_additional_file_is_kept_with_the_version(codika: CodikaCli, tmp_path: Path) -> None:
    folder, notes = new_folder(codika, tmp_path, "sources"), tmp_path / "notes.md"
    notes.write_text("# Notes")

    deploy(codika, folder, "--additional-file", f"{notes}:docs/notes.md")

    out = tmp_path / "out"
    answer = codika("get", "use-case", project_of(folder)["projectId"], str(out))
    assert answer.code == 0, answer.out + answer.err
    assert (out / "docs" / "notes.md").read_text() == "# Notes"
    assert (out / "config.ts").read_text() == (folder / "config.ts").read_text()


def test_a_deploy_that_n8n_refuses_exits_with_1_and_a_rerun_tells_the_same(
    codika: CodikaCli, tmp_path: Path
) -> None:
    folder = new_folder(codika, tmp_path, "broken")
    file = folder / "workflows" / "daily-report.json"
    text = file.read_text()
    assert '"n8n-nodes-base.if"' in text
    file.write_text(text.replace('"n8n-nodes-base.if"', '"n8n-nodes-base.doesNotExist"'))

    failed = codika("deploy", "use-case", str(folder), "--json")
    again = codika("rerun", "deployment", "--path", str(folder), "--json")

    assert (failed.code, again.code) == (1, 1)
    assert failed.json["deploymentStatus"] == "failed"
    assert again.json["data"]["deploymentStatus"] == "failed"
    for told in (failed.json["error"], again.json["data"]["error"]):
        assert "Unrecognized node type" in str(told)


def test_publishing_makes_a_production_installation_and_writes_it_down(
    codika: CodikaCli, folder: Path, production: str
) -> None:
    assert production != project_of(folder)["devProcessInstanceId"]
    assert shop_of(codika, production) == shop_of(codika, project_of(folder)["devProcessInstanceId"])
    shown = succeeded(codika("get", "project", project_of(folder)["projectId"], "--json"))
    assert (shown["data"]["status"], shown["data"]["hasPublishedProcess"]) == ("completed", True)


def test_a_version_is_published_once(codika: CodikaCli, folder: Path, production: str) -> None:
    answer = publish(codika, folder, "1.0")

    assert answer.code == 1
    assert answer.json["error"]["code"] == "INVALID_STATUS"


def test_publishing_the_next_version_keeps_the_production_installation(
    codika: CodikaCli, folder: Path, production: str
) -> None:
    version = deploy(codika, folder)["version"]

    data = succeeded(publish(codika, folder, version))["data"]

    assert data["version"] == version
    assert data["processInstanceId"] == production
    assert set(data) == {"processDeploymentId", "version", "processInstanceId"}


def test_production_may_be_skipped(codika: CodikaCli, tmp_path: Path) -> None:
    folder = new_folder(codika, tmp_path, "skipped")
    deploy(codika, folder)

    data = succeeded(publish(codika, folder, "1.0", "--skip-prod-instance", "--visibility", "public"))["data"]

    assert "processInstanceId" not in data
    assert "prodProcessInstanceId" not in project_of(folder)


def test_sharing_and_auto_toggle_are_heeded(codika: CodikaCli, tmp_path: Path) -> None:
    folder = new_folder(codika, tmp_path, "shared")
    config = folder / "config.ts"
    config.write_text(config.read_text().replace("processType: 'personal'", "processType: 'organizational'"))
    deploy(codika, folder)
    flags = ("--shared-with", "everyone", "--auto-toggle-dev-prod", "--visibility", "organizational")

    succeeded(publish(codika, folder, "1.0", *flags))

    project = project_of(folder)
    production = project["prodProcessInstanceId"]
    member = codika.stack.key(0, "memberKey")
    payload = str(folder / "payloads" / "ok.json")
    order = ("trigger", "take-order", "--payload-file", payload, "--process-instance-id")
    assert codika(*order, production, key=member).code == 0
    paused = codika(*order, project["devProcessInstanceId"])
    assert paused.code == 1
    assert "not active" in paused.out + paused.err


def test_a_rerun_wants_force_unless_the_deployment_failed(codika: CodikaCli, folder: Path) -> None:
    answer = codika("rerun", "deployment", "--path", str(folder))

    assert answer.code == 1
    assert "not in failed state" in answer.out + answer.err


def test_parameters_reach_the_next_run_whichever_flag_brings_them(
    codika: CodikaCli, folder: Path, production: str, tmp_path: Path
) -> None:
    dev = project_of(folder)["devProcessInstanceId"]
    rerun = ("rerun", "deployment", "--path", str(folder), "--force", "--json")
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"SHOP_NAME": "From a file"}))
    before = shop_of(codika, production)

    given = succeeded(codika(*rerun, "--param", 'SHOP_NAME=The "Corner"', "--param", "DISCOUNT_PERCENT=0"))
    assert given["data"]["deploymentStatus"] == "deployed"
    assert len(given["data"]["n8nWorkflowIds"]) == 5
    assert shop_of(codika, dev) == ('The "Corner"', 0)

    succeeded(codika(*rerun, "--params", '{"SHOP_NAME": "As JSON"}'))
    assert shop_of(codika, dev) == ("As JSON", 0)

    succeeded(codika(*rerun, "--params-file", str(parameters)))
    assert shop_of(codika, dev) == ("From a file", 0)
    assert shop_of(codika, production) == before

    succeeded(codika(*rerun, "--environment", "prod", "--param", "SHOP_NAME=Production"))
    assert shop_of(codika, production)[0] == "Production"
    assert shop_of(codika, dev) == ("From a file", 0)


@pytest.mark.parametrize(
    ("parameter", "named"),
    [("DISCOUNT_PERCENT=80", "DISCOUNT_PERCENT"), ("CURRENCY=XXX", "CURRENCY"), ("TYPO=1", "TYPO")],
)
def test_a_parameter_that_does_not_fit_is_named_and_nothing_changes(
    codika: CodikaCli, folder: Path, parameter: str, named: str
) -> None:
    answer = codika("rerun", "deployment", "--path", str(folder), "--force", "--param", parameter)

    assert answer.code == 1
    assert f"deploymentParameters.{named}" in answer.out + answer.err

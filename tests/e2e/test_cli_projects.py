"""Projects, their sources and their stage documents, with the npm CLI (api §7)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.local.n8n import versions
from infra.local.stack.addresses import cache_folder
from tests.e2e.conftest import CodikaCli
from tests.support.stack import ROOT, RunningStack


@pytest.fixture(scope="module")
def cli(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> CodikaCli:
    """A CLI whose user has logged in: it knows the organization."""
    cli = CodikaCli(stack, tmp_path_factory.mktemp("home"), stack.owner_key)
    assert cli("login", "--api-key", stack.owner_key).code == 0
    return cli


@pytest.fixture(scope="module")
def folder(cli: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example feedback-inbox: 1.0 as it is, then 1.1 with a comment more, then a lower version."""
    folder = tmp_path_factory.mktemp("use-case") / "inbox"
    shutil.copytree(ROOT / "examples" / "feedback-inbox", folder)
    assert cli("project", "create", "--name", "Feedback", "--path", str(folder)).code == 0
    for addition, options in (("", ()), ("// changed\n", ()), ("// lower\n", ("--target-version", "0.9"))):
        with (folder / "config.ts").open("a") as config:
            config.write(addition)
        deployed = cli("deploy", "use-case", str(folder), "--json", *options)
        assert deployed.code == 0, deployed.out + deployed.err
    return folder


def project_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "project.json").read_text()))


def organization(stack: RunningStack) -> str:
    return str(stack.content["organizations"][0]["organizationId"])


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def sources(folder: Path) -> dict[str, bytes]:
    """What of a use case the CLI deploys as its sources."""
    return {p: c for p, c in files(folder).items() if p.startswith(("config.ts", "workflows/", "skills/"))}


def test_project_create_writes_the_project_and_its_organization(
    cli: CodikaCli, stack: RunningStack, tmp_path: Path
) -> None:
    answer = cli("project", "create", "--name", " Desk ", "--path", str(tmp_path), "--json")

    assert answer.code == 0, answer.out + answer.err
    assert answer.json["requestId"]
    project_id = answer.json["data"]["projectId"]
    assert project_of(tmp_path) == {"projectId": project_id, "organizationId": organization(stack)}
    assert cli("get", "project", project_id, "--json").json["data"]["name"] == "Desk"


def test_project_create_without_a_name_that_says_something_fails(cli: CodikaCli) -> None:
    answer = cli("project", "create", "--name", "  ")

    assert answer.code == 1
    assert "name" in answer.out + answer.err


def test_init_scaffolds_a_use_case_that_deploys_once_its_markdown_is_quoted(
    cli: CodikaCli, stack: RunningStack, tmp_path: Path
) -> None:
    folder = tmp_path / "desk"
    answer = cli("init", str(folder), "--name", "My desk", "--no-install", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["project"]["organizationId"] == organization(stack)
    assert project_of(folder)["projectId"] == answer.json["project"]["projectId"]

    repair(folder)
    deployed = cli("deploy", "use-case", str(folder), "--json")

    assert deployed.code == 0, deployed.out + deployed.err
    assert (deployed.json["deploymentStatus"], deployed.json["version"]) == ("deployed", "1.0")


def repair(folder: Path) -> None:
    """Quote the backticks that the CLI's scaffold leaves bare in its last text (api §7); install the CLI."""
    config = folder / "config.ts"
    text = config.read_text()
    start = text.index("return `# My desk") + len("return `")
    end = text.rindex("`;")
    config.write_text(text[:start] + text[start:end].replace("`", "\\`") + text[end:])
    (folder / "node_modules").mkdir()
    package = cache_folder() / f"codika-{versions.CODIKA_CLI}" / "node_modules" / "codika"
    (folder / "node_modules" / "codika").symlink_to(package)


def test_get_use_case_brings_the_data_ingestion_unless_told_not_to(cli: CodikaCli, tmp_path: Path) -> None:
    folder, out = tmp_path / "desk", tmp_path / "out"
    scaffold = ("init", str(folder), "--name", "My desk", "--no-install", "--with-data-ingestion")
    assert cli(*scaffold).code == 0
    repair(folder)
    (file,) = (folder / "data-ingestion").glob("*.json")
    deployed = cli("deploy", "process-data-ingestion", str(folder), "--json")
    assert deployed.code == 0, deployed.out + deployed.err
    project_id = project_of(folder)["projectId"]

    got = cli("get", "use-case", project_id, str(out))
    without = cli("get", "use-case", project_id, "--list", "--no-data-ingestion")
    unknown = cli("get", "use-case", project_id, "--list", "--di-version", "9.9")

    assert (got.code, without.code, unknown.code) == (0, 0, 0)
    assert files(out) == {f"data-ingestion/{file.name}": file.read_bytes()}
    assert "Found 0 document(s)" in without.out
    assert "Found 0 document(s)" in unknown.out


def test_list_projects_shows_the_newest_first_and_archived_ones_apart(cli: CodikaCli) -> None:
    first, second = [
        cli("project", "create", "--name", name, "--json").json["data"]["projectId"]
        for name in ("One", "Two")
    ]

    listed = cli("list", "projects", "--limit", "2", "--json")
    archived = cli("list", "projects", "--archived", "--json")

    assert listed.code == archived.code == 0
    assert [project["id"] for project in listed.json["data"]["projects"]] == [second, first]
    assert archived.json["data"]["projects"] == []
    table = cli("list", "projects")
    assert table.code == 0
    assert table.out.index("Two") < table.out.index("One")


def test_get_project_shows_what_it_deployed(cli: CodikaCli, folder: Path) -> None:
    answer = cli("get", "project", project_of(folder)["projectId"])

    assert answer.code == 0, answer.out + answer.err
    for shown in ("Feedback", "in_progress", "v0.9", "2 (current: 1)"):
        assert shown in answer.out


def test_get_project_of_another_organization_or_of_nobody_fails(
    cli: CodikaCli, folder: Path, stack: RunningStack
) -> None:
    foreign = cli("get", "project", project_of(folder)["projectId"], key=stack.key(1, "ownerKey"))
    unknown = cli("get", "project", "nothing")

    assert (foreign.code, unknown.code) == (1, 1)
    assert "access" in foreign.out + foreign.err
    assert "Feedback" not in foreign.out + foreign.err
    assert "not found" in unknown.out + unknown.err


def test_get_use_case_writes_the_highest_version_as_it_was_deployed(
    cli: CodikaCli, folder: Path, tmp_path: Path
) -> None:
    answer = cli("get", "use-case", project_of(folder)["projectId"], str(tmp_path / "out"))

    assert answer.code == 0, answer.out + answer.err
    got = files(tmp_path / "out")
    assert got.pop("config.ts").endswith(b"// changed\n")
    assert got == {path: content for path, content in sources(folder).items() if path != "config.ts"}


def test_get_use_case_writes_an_earlier_version(cli: CodikaCli, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = cli("get", "use-case", project_of(folder)["projectId"], str(out), "--target-version", "1.0")

    assert answer.code == 0, answer.out + answer.err
    assert files(out) == sources(ROOT / "examples" / "feedback-inbox")


def test_get_use_case_lists_without_writing(cli: CodikaCli, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = cli("get", "use-case", project_of(folder)["projectId"], str(out), "--list", "--json")

    assert answer.code == 0, answer.out + answer.err
    data = answer.json["data"]
    assert data["version"] == "1.1"
    assert {document["relativePath"] for document in data["documents"]} == set(sources(folder))
    assert all("contentBase64" not in document for document in data["documents"])
    assert not out.exists()


def test_get_use_case_of_a_version_nobody_deployed_finds_nothing(
    cli: CodikaCli, folder: Path, tmp_path: Path
) -> None:
    project_id = project_of(folder)["projectId"]
    answer = cli("get", "use-case", project_id, str(tmp_path / "out"), "--target-version", "99.99")

    assert answer.code == 0, answer.out + answer.err
    assert "No documents found" in answer.out
    assert not (tmp_path / "out").exists()


def test_get_use_case_of_a_project_that_was_never_deployed_finds_nothing(
    cli: CodikaCli, tmp_path: Path
) -> None:
    project_id = cli("project", "create", "--name", "Empty", "--json").json["data"]["projectId"]

    assert "Found 0 document(s)" in cli("get", "use-case", project_id, "--list").out
    answer = cli("get", "use-case", project_id, str(tmp_path / "out"))
    assert (answer.code, "No documents found" in answer.out) == (0, True)


def test_get_use_case_of_another_organization_fails(
    cli: CodikaCli, folder: Path, stack: RunningStack, tmp_path: Path
) -> None:
    stranger = stack.key(1, "ownerKey")
    answer = cli("get", "use-case", project_of(folder)["projectId"], str(tmp_path / "out"), key=stranger)

    assert answer.code == 1
    assert not (tmp_path / "out").exists()


def test_deploy_documents_versions_each_stage(cli: CodikaCli, tmp_path: Path) -> None:
    assert cli("project", "create", "--name", "Staged", "--path", str(tmp_path)).code == 0
    project_id = project_of(tmp_path)["projectId"]
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "1_business_requirements.md").write_text("# Needs\n\nPeople need an inbox.\n")
    (documents / "2_solution_architecture.md").write_text("# Shape\n\nOne workflow.\n")

    first = cli("deploy", "documents", str(tmp_path), "--json")
    (documents / "1_business_requirements.md").unlink()
    second = cli("deploy", "documents", str(tmp_path))

    assert first.code == 0, first.out + first.err
    rows = [(d["stage"], d["version"], d["status"]) for d in first.json["documentsCreated"]]
    assert rows == [(1, "1.0.0", "accepted"), (2, "1.0.0", "accepted")]
    assert second.code == 0, second.out + second.err
    assert "Stage 2: v1.1.0" in second.out
    assert "Stage 1" not in second.out
    assert cli("get", "project", project_id, "--json").json["data"]["status"] == "in_progress"


def test_deploy_documents_to_a_project_of_another_organization_fails(
    cli: CodikaCli, stack: RunningStack, tmp_path: Path
) -> None:
    assert cli("project", "create", "--name", "Staged", "--path", str(tmp_path)).code == 0
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "1_business_requirements.md").write_text("Needs")

    answer = cli("deploy", "documents", str(tmp_path), "--api-key", stack.key(1, "ownerKey"))

    assert answer.code == 1
    assert "access" in answer.out + answer.err

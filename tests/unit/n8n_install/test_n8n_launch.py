from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError
from infra.local.n8n import versions
from infra.local.n8n.application import IMAGE, check_compilers
from infra.local.n8n.bun import _build
from infra.local.n8n.installation import N8nInstallation
from infra.local.n8n.launch import command, environment

INSTALLATION = N8nInstallation(
    node=Path("/cache/node/bin/node"),
    npm=Path("/cache/npm-cli.js"),
    n8n=Path("/cache/n8n/bin/n8n"),
    compile_cache=Path("/cache/compiled"),
)


def started(**machine: str) -> dict[str, str]:
    return environment(
        INSTALLATION,
        user_folder=Path("/state/n8n"),
        port=20001,
        broker_port=20002,
        encryption_key="key",
        codika_api_url="http://127.0.0.1:8080/",
        machine=machine,
    )


def test_the_lock_file_holds_the_pinned_version() -> None:
    wanted = json.loads((IMAGE / "package.json").read_text())
    assert wanted["dependencies"]["n8n"] == versions.N8N
    assert f'"n8n@{versions.N8N}"' in (IMAGE / "bun.lock").read_text()


def test_the_lock_file_names_no_registry() -> None:
    assert re.search(r"https?://", (IMAGE / "bun.lock").read_text()) is None


def test_nothing_of_our_own_environment_reaches_workflows() -> None:
    given = started(PATH="/bin", HOME="/root", PODIUM_SECRET="secret", AWS_SECRET_ACCESS_KEY="secret")
    assert "secret" not in given.values()
    assert given["HOME"] == "/root"
    assert given["N8N_BLOCK_ENV_ACCESS_IN_NODE"] == "true"


def test_the_runner_finds_our_node_first() -> None:
    assert started(PATH="/usr/bin:/bin")["PATH"] == "/cache/node/bin:/usr/bin:/bin"
    assert command(INSTALLATION) == ("/cache/node/bin/node", "/cache/n8n/bin/n8n", "start")


def test_n8n_listens_on_the_loopback_address_and_calls_back_without_a_double_slash() -> None:
    given = started()
    assert given["N8N_LISTEN_ADDRESS"] == "127.0.0.1"
    assert given["N8N_WEBHOOK_URL"] == "http://127.0.0.1:20001/"
    assert given["CODIKA_API_URL"] == "http://127.0.0.1:8080"


def test_missing_compilers_are_named_before_anything_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalStackError, match=r"a C\+\+ compiler and make is missing.*build-essential"):
        check_compilers()


@pytest.mark.parametrize(
    ("system", "machine", "flags", "build"),
    [
        ("Linux", "x86_64", "flags : sse avx2", "linux-x64"),
        ("Linux", "x86_64", "flags : sse", "linux-x64-baseline"),
        ("Linux", "aarch64", "", "linux-aarch64"),
        ("Darwin", "arm64", "avx2", "darwin-aarch64"),
    ],
)
def test_the_installer_fits_the_machine(system: str, machine: str, flags: str, build: str) -> None:
    assert _build(system, machine, flags) == build


def test_a_machine_n8n_cannot_be_installed_on_gets_advice() -> None:
    with pytest.raises(LocalStackError, match="--n8n-url"):
        _build("Plan9", "mips", "")

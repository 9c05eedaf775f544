from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import Ports, Stack, cache_folder
from infra.local.stack.backoff import LONGEST, STEADY, Backoff
from infra.local.stack.identity import Identity, identify
from infra.local.stack.log_file import last_lines, open_log, rotate
from infra.local.stack.n8n_host import GivenN8n
from infra.local.stack.oracle import emulator_command
from infra.local.stack.parts import PodiumParts
from infra.local.stack.plan import Plan, ProcessPlan
from infra.local.stack.private_file import generated_once, write_private
from infra.local.stack.processes import inherited
from infra.local.stack.record import read_record
from infra.local.stack.stack_file import carried_over

texts = st.text(max_size=20)
process_plans = st.builds(
    ProcessPlan,
    name=texts,
    command=st.lists(texts).map(tuple),
    environment=st.dictionaries(texts, texts),
    after=st.lists(texts).map(tuple),
    ready_url=st.none() | texts,
    ready_within=st.floats(0, 1e6),
    grace=st.floats(0, 1e6),
    port=st.none() | st.integers(1, 65535),
    folder=st.none() | texts,
)
plans = st.builds(
    Plan,
    run_id=texts,
    state=texts.map(Path),
    stack_file=texts.map(Path),
    processes=st.lists(process_plans, max_size=3).map(tuple),
)


@given(plans)
def test_a_plan_survives_its_journey_on_one_line(plan: Plan) -> None:
    line = plan.encode()
    assert "\n" not in line
    assert Plan.decode(line) == plan


@given(st.lists(st.floats(0, STEADY - 0.01), min_size=1, max_size=20))
def test_restarts_begin_at_once_then_slow_down_to_a_limit(lives: list[float]) -> None:
    backoff = Backoff()
    delays = [backoff.delay(life) for life in lives]
    assert delays[0] == 0
    assert delays == sorted(delays)
    assert max(delays) <= LONGEST
    assert backoff.delay(STEADY) == 0


def test_an_identity_is_of_one_process_only() -> None:
    itself = identify(os.getpid())
    assert itself is not None
    assert itself.alive()
    assert not Identity(itself.pid, "another moment").alive()
    assert identify(2**22 + 1) is None


def test_a_log_that_grew_too_large_becomes_the_older_copy_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    writer = open_log(path)
    os.write(writer, b"old\n" * 10)
    assert not rotate(path, limit=40)
    os.write(writer, b"!\n")
    assert rotate(path, limit=40)
    os.write(writer, b"new\n")
    os.close(writer)
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"old\n" * 10 + b"!\n"


def test_the_last_lines_of_a_log_skip_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\n\ntwo\nthree\n\n")
    assert last_lines(path, 2) == ["two", "three"]
    assert last_lines(tmp_path / "none.log", 2) == []


def test_a_private_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "stack.json"
    write_private(path, "first")
    path.chmod(0o644)
    write_private(path, "second")
    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["stack.json"]


def test_a_secret_is_generated_once_and_kept(tmp_path: Path) -> None:
    first = generated_once(tmp_path / "secrets" / "key")
    assert len(bytes.fromhex(first)) == 32
    assert generated_once(tmp_path / "secrets" / "key") == first
    assert generated_once(tmp_path / "secrets" / "other") != first


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"runId": "x", "processes": 3}'])
def test_a_broken_record_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert read_record(tmp_path) is None


def test_loopback_calls_are_kept_from_a_proxy_of_the_user() -> None:
    environment = inherited("run", {"http_proxy": "http://proxy:3128", "NO_PROXY": "intern.example"})
    assert environment["no_proxy"] == environment["NO_PROXY"] == "intern.example,127.0.0.1,localhost"


def test_the_cache_folder_follows_the_environment(tmp_path: Path) -> None:
    assert cache_folder({"PODIUM_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "podium"
    assert cache_folder({}) == Path.home() / ".cache" / "podium"


def test_google_firestore_without_java_is_one_sentence() -> None:
    with pytest.raises(LocalStackError, match="no java was found"):
        emulator_command(1, {"PATH": "/nowhere"})


def test_a_given_n8n_is_neither_started_nor_its_port_needed(tmp_path: Path) -> None:
    stack = Stack(tmp_path, tmp_path / "stack.json", Ports(), "http://n8n.example")
    parts = PodiumParts(stack, GivenN8n("http://n8n.example", "key"))
    assert "n8n" not in parts.ports
    assert {process.name for process in parts.processes("run")} == {"firestore", "tasks", "mail", "gateway"}


def test_the_gateway_waits_for_its_servers_and_finds_them(tmp_path: Path) -> None:
    ports = Ports(gateway=1, n8n=2, firestore=3, tasks=4, jwks=5, mail=6)
    stack = Stack(tmp_path, tmp_path / "stack.json", ports, "http://n8n.example")
    *_, gateway = PodiumParts(stack, GivenN8n("http://n8n.example", "key")).processes("run")
    assert gateway.after == ("firestore", "tasks")
    assert gateway.environment["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:3"
    assert gateway.environment["OIDC_CERTS_URL"] == "http://127.0.0.1:5/oauth2/v3/certs"
    assert gateway.ready_url == "http://127.0.0.1:1/healthz"
    assert json.loads(Plan("run", tmp_path, stack.stack_file, (gateway,)).encode())


MAIL = {"mailbox": "/s/mail/mailbox.jsonl", "smtp": "127.0.0.1:8430"}


def kept_content(base_url: str) -> dict[str, object]:
    return {
        "baseUrl": base_url,
        "publicKeyUrl": f"{base_url}/encryption/public.pem",
        "n8nUrl": "http://n8n.example",
        "n8nApiKey": "n8n-key",
        "adminKey": "admin-key",
        "organizations": [{"name": "Acme", "ownerKey": "owner-key"}],
        "demo": None,
    }


@pytest.fixture
def verifier() -> Iterator[Stack]:
    """A stack whose platform accepts one key."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known = self.path == "/verifyapikey" and self.headers["X-API-Key"] == "owner-key"
            self.send_response(200 if known else 401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ports = Ports(gateway=server.server_port)
        yield Stack(Path("/s"), Path("/s/stack.json"), ports, "http://n8n.example", "n8n-key")
        server.shutdown()


async def test_keys_outlive_a_change_of_ports(verifier: Stack) -> None:
    kept = await carried_over(kept_content("http://127.0.0.1:1"), verifier, own_n8n=True)
    assert kept == {**kept_content(verifier.base_url), **MAIL}


async def test_keys_outlive_a_new_api_key_of_the_users_n8n_but_not_a_new_own_n8n(verifier: Stack) -> None:
    content = {**kept_content(verifier.base_url), "n8nApiKey": "before"}
    assert await carried_over(content, verifier, own_n8n=False) == {
        **kept_content(verifier.base_url),
        **MAIL,
    }
    assert await carried_over(content, verifier, own_n8n=True) is None


async def test_keys_that_the_platform_does_not_know_are_not_kept(verifier: Stack) -> None:
    content = {**kept_content(verifier.base_url), "organizations": [{"ownerKey": "of deleted data"}]}
    assert await carried_over(content, verifier, own_n8n=True) is None
    assert await carried_over({**content, "organizations": []}, verifier, own_n8n=True) is None

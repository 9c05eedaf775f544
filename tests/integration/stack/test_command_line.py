from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from infra.local.mail.mailbox import CaughtMail, Mailbox
from infra.local.stack.addresses import ROOT
from infra.local.stack.ports import any_free, is_free
from infra.local.stack.record import NAME, read_record
from tests.integration.stack.tiny import TinyParts, eventually, pid_of

STARTER = """
import asyncio, signal, sys
from pathlib import Path
from infra.local.stack.progress import Progress
from infra.local.stack.up import bring_up
from tests.integration.stack.tiny import tiny_stack

stack, parts = tiny_stack(Path(sys.argv[1]))
parts.alpha, parts.beta, parts.fill_takes = int(sys.argv[2]), int(sys.argv[3]), 600
# Whoever runs the tests in the background has them started with Ctrl-C switched off.
signal.signal(signal.SIGINT, signal.default_int_handler)
with asyncio.Runner() as loop:
    bring_up(stack, parts, Progress(3), loop)
"""


def podium(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False
    )


def starter(state: Path, alpha: int, beta: int) -> subprocess.Popen[str]:
    """Start an ``up`` that is busy filling the platform for ten minutes."""
    command = [sys.executable, "-c", STARTER, str(state), str(alpha), str(beta)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_filling(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any("filling" in line for line in process.stdout)


def test_a_busy_port_is_one_sentence_with_its_option_and_nothing_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = podium("up", "--state", tmp_path / "s", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"podium: port {port} (gateway) is in use by another program; choose another one with --port\n"
    )
    assert not (tmp_path / "s" / NAME).exists()
    assert not (tmp_path / "s" / "logs").exists()


def test_the_same_port_given_twice_is_refused(tmp_path: Path) -> None:
    port = str(any_free())
    done = podium("up", "--state", tmp_path, "--port", port, "--n8n-port", port)
    assert done.returncode == 1
    assert f"--port and --n8n-port are both {port}" in done.stderr


def test_a_given_n8n_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    ports = [
        text
        for option in ("--port", "--firestore-port", "--tasks-port", "--jwks-port", "--mail-port")
        for text in (option, str(any_free()))
    ]
    url = f"http://127.0.0.1:{any_free()}"
    done = podium("up", "--state", tmp_path, *ports, "--n8n-url", url, "--n8n-api-key", "k")
    assert done.returncode == 1
    assert done.stderr == f"podium: no n8n answers at {url} (--n8n-url)\n"
    assert not (tmp_path / NAME).exists()


def test_wrong_usage_exits_with_two(tmp_path: Path) -> None:
    assert podium("up", "--port", "70000").returncode == 2
    assert podium("up", "--n8n-url", "http://n8n.example").returncode == 2
    assert podium("sideways").returncode == 2


def test_a_code_and_a_key_of_no_stack_are_one_sentence(tmp_path: Path) -> None:
    for command in (("code", "a@b.com"), ("key", "instance")):
        done = podium(*command, "--state", tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"podium: there is no stack in {tmp_path}; `make up` makes one\n"


def test_the_code_of_a_mailbox_is_printed_and_a_missing_one_is_waited_for(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mail" / "mailbox.jsonl")
    (tmp_path / "stack.json").write_text(json.dumps({"mailbox": str(mailbox.path)}))
    for code in ("111111", "222222"):
        mailbox.add(CaughtMail("", "x", ["a@b.com"], "Your code", f"Hello\n\n    {code}\n\nBye 999999"))
    mailbox.add(CaughtMail("", "x", ["a@b.com"], "Something else", "no code in here: 333333"))

    assert podium("code", " A@B.com", "--state", tmp_path).stdout == "222222\n"
    missing = podium("code", "c@d.com", "--state", tmp_path)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "podium: no code was mailed to c@d.com; ask for one first\n"


def test_down_and_status_without_a_stack_say_so(tmp_path: Path) -> None:
    down, status = podium("down", "--state", tmp_path), podium("status", "--state", tmp_path)
    assert (down.returncode, down.stdout) == (0, "podium is not running\n")
    assert (status.returncode, status.stdout) == (3, "podium is not running\n")


def test_a_second_up_changes_nothing_and_prints_the_addresses_and_keys(
    state: Path, running: TinyParts
) -> None:
    before = pid_of(state, "beta")
    done = podium("up", "--state", state)
    assert done.returncode == 0
    assert "up already" in done.stdout
    assert f"http://127.0.0.1:{running.beta}" in done.stdout
    assert "the-owner-key" in done.stdout
    assert pid_of(state, "beta") == before


def test_status_and_logs_show_the_processes_and_down_ends_them(state: Path, running: TinyParts) -> None:
    status = podium("status", "--state", state)
    assert status.returncode == 0
    assert str(pid_of(state, "alpha")) in status.stdout
    assert "ready" in podium("logs", "--state", state, "alpha").stdout
    assert podium("logs", "--state", state, "omega").returncode == 1
    assert podium("down", "--state", state).returncode == 0
    assert is_free(running.alpha)


def test_an_up_that_is_killed_leaves_nothing_behind(state: Path) -> None:
    alpha, beta = any_free(), any_free()
    with starter(state, alpha, beta) as process:
        wait_for_filling(process)
        assert not is_free(alpha)
        process.kill()
    eventually(lambda: is_free(alpha) and is_free(beta) and not (state / NAME).exists(), within=5)


def test_an_interrupted_up_returns_only_when_everything_is_down(state: Path) -> None:
    alpha, beta = any_free(), any_free()
    with starter(state, alpha, beta) as process:
        wait_for_filling(process)
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert is_free(alpha)
        assert is_free(beta)


def test_down_ends_a_stack_that_is_still_starting(state: Path) -> None:
    alpha, beta = any_free(), any_free()
    with starter(state, alpha, beta) as process:
        wait_for_filling(process)
        assert podium("down", "--state", state).returncode == 0
        assert is_free(alpha)
        assert process.wait(5) == 1


def test_two_ups_at_once_do_not_meet(state: Path) -> None:
    with starter(state, any_free(), any_free()) as process:
        wait_for_filling(process)
        second = podium("up", "--state", state)
        assert second.returncode == 1
        assert "another `up` is at work" in second.stderr
        process.kill()
    eventually(lambda: read_record(state) is None, within=5)

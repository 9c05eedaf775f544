from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError
from infra.local.stack.identity import identify
from infra.local.stack.ports import is_free
from infra.local.stack.record import NAME, read_record
from infra.local.stack.takedown import take_down
from tests.integration.stack.tiny import (
    SECRET,
    TinyParts,
    ask,
    eventually,
    pid_of,
    process,
    raise_stack,
    script,
    tiny_stack,
)

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
open({note!r}, "w").write(str(child.pid))
print("{{}}", flush=True)
time.sleep(600)
"""


def test_after_up_every_process_serves_and_is_recorded(state: Path, running: TinyParts) -> None:
    assert ask(running.alpha) == str(pid_of(state, "alpha"))
    assert ask(running.beta) == str(pid_of(state, "beta"))
    assert {process(state, name).state for name in ("alpha", "beta")} == {"ready"}


def test_a_killed_process_serves_again_within_two_seconds(state: Path, running: TinyParts) -> None:
    before = pid_of(state, "beta")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: ask(running.beta) not in (None, str(before)), within=2)
    eventually(lambda: process(state, "beta").state == "ready", within=2)
    assert process(state, "beta").restarts == 1
    assert process(state, "alpha").restarts == 0


def test_what_a_killed_process_had_started_is_ended_before_its_restart(state: Path, tmp_path: Path) -> None:
    stack, parts = tiny_stack(state)
    note = tmp_path / "grandchild"
    parts.third = script("parent", PARENT.format(note=str(note)))
    raise_stack(stack, parts)
    grandchild = identify(int(note.read_text()))
    assert grandchild is not None
    os.kill(pid_of(state, "parent"), signal.SIGKILL)
    eventually(lambda: not grandchild.alive(), within=2)


def test_down_stops_everything_up_started_and_nothing_else(state: Path, running: TinyParts) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"]) as bystander:
        try:
            assert take_down(state)
            assert is_free(running.alpha)
            assert is_free(running.beta)
            assert not (state / NAME).exists()
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_down_leaves_a_stranger_alone_that_got_a_recorded_number(state: Path, running: TinyParts) -> None:
    alpha = pid_of(state, "alpha")
    record = (state / NAME).read_text()
    take_down(state)
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"]) as stranger:
        try:
            (state / NAME).write_text(record.replace(f'"pid": {alpha}', f'"pid": {stranger.pid}'))
            assert not take_down(state)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_down_finds_even_orphans_of_a_killed_supervisor(state: Path, tmp_path: Path) -> None:
    stack, parts = tiny_stack(state)
    note = tmp_path / "grandchild"
    parts.third = script("parent", PARENT.format(note=str(note)))
    raise_stack(stack, parts)
    record, grandchild = read_record(state), identify(int(note.read_text()))
    assert record is not None
    assert grandchild is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    os.kill(pid_of(state, "parent"), signal.SIGKILL)
    eventually(lambda: not record.running(), within=2)
    assert grandchild.alive()
    assert take_down(state)
    assert not grandchild.alive()
    assert is_free(parts.alpha)
    assert is_free(parts.beta)


def test_up_after_a_killed_supervisor_replaces_what_it_left_behind(state: Path, running: TinyParts) -> None:
    stack, _ = tiny_stack(state)
    record = read_record(state)
    assert record is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    eventually(lambda: not record.running(), within=2)
    left_behind = pid_of(state, "alpha")
    assert raise_stack(stack, running)
    assert ask(running.alpha) not in (None, str(left_behind))


def test_a_process_that_ignores_sigterm_is_ended_by_force(state: Path) -> None:
    stack, parts = tiny_stack(state)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('{}', flush=True); time.sleep(600)"
    parts.third = script("deaf", deaf, grace=0.3)
    raise_stack(stack, parts)
    identity = process(state, "deaf").identity
    assert identity is not None
    began = time.monotonic()
    take_down(state)
    assert not identity.alive()
    assert time.monotonic() - began < 5


def test_a_half_started_stack_is_taken_down_and_the_culprit_named(state: Path) -> None:
    stack, parts = tiny_stack(state)
    parts.third = script("culprit", "import sys; print('out of cheese', file=sys.stderr); sys.exit(7)")
    with pytest.raises(LocalStackError, match=r"culprit ended with exit code 7 .*out of cheese"):
        raise_stack(stack, parts)
    assert is_free(parts.alpha)
    assert is_free(parts.beta)
    assert not (state / NAME).exists()


def test_a_process_that_never_gets_ready_fails_the_start(state: Path) -> None:
    stack, parts = tiny_stack(state)
    parts.third = script("silent", "import time; time.sleep(600)", ready_within=0.3)
    with pytest.raises(LocalStackError, match=r"silent was not ready within 0\.3 s"):
        raise_stack(stack, parts)
    assert is_free(parts.alpha)


def test_a_program_that_does_not_exist_fails_the_start(state: Path) -> None:
    stack, parts = tiny_stack(state)
    missing = script("missing", "")
    parts.third = type(missing)(name="missing", command=("/no/such/program",))
    with pytest.raises(LocalStackError, match="missing cannot be started"):
        raise_stack(stack, parts)
    assert is_free(parts.alpha)


def test_when_filling_the_platform_fails_the_stack_is_taken_down(state: Path) -> None:
    stack, parts = tiny_stack(state)
    parts.fill_fails = LocalStackError("no organizations today")
    with pytest.raises(LocalStackError, match="no organizations today"):
        raise_stack(stack, parts)
    assert is_free(parts.alpha)
    assert not stack.stack_file.exists()


def test_two_stacks_run_side_by_side(state: Path, running: TinyParts, tmp_path: Path) -> None:
    other, parts = tiny_stack(tmp_path / "other")
    try:
        assert raise_stack(other, parts)
        take_down(state)
        assert ask(running.beta) is None
        assert ask(parts.beta) is not None
    finally:
        take_down(other.state)


def test_files_are_for_their_owner_only_and_the_record_holds_no_secret(
    state: Path, running: TinyParts
) -> None:
    assert (state / "stack.json").stat().st_mode & 0o777 == 0o600
    assert (state / NAME).stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    written = "".join(path.read_text() for path in state.rglob("*") if path.is_file())
    assert SECRET not in written


def test_a_stack_whose_state_folder_is_deleted_stops_itself(state: Path, running: TinyParts) -> None:
    record = read_record(state)
    assert record is not None
    (state / NAME).unlink()
    eventually(lambda: not record.running(), within=10)
    assert is_free(running.alpha)

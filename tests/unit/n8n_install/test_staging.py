from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError
from infra.local.n8n.stage import build_once, is_complete, only_one
from infra.local.n8n.subprocesses import run


async def fill(folder: Path) -> None:
    (folder / "content").write_text("whole")


async def test_a_folder_is_built_once(tmp_path: Path) -> None:
    built = await build_once(tmp_path / "app", fill)
    (built / "content").write_text("kept")
    assert (await build_once(tmp_path / "app", fill) / "content").read_text() == "kept"


async def test_a_failed_build_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    async def fail(folder: Path) -> None:
        (folder / "content").write_text("half")
        raise LocalStackError("no network")

    with pytest.raises(LocalStackError):
        await build_once(tmp_path / "app", fail)
    assert names(tmp_path) == []
    assert (await build_once(tmp_path / "app", fill) / "content").read_text() == "whole"


@pytest.mark.parametrize("leftover", ["app", ".app.00000000.partial"])
async def test_what_a_crash_left_behind_is_thrown_away(tmp_path: Path, leftover: str) -> None:
    (tmp_path / leftover).mkdir()
    (tmp_path / leftover / "content").write_text("half")
    assert not is_complete(tmp_path / "app")
    async with only_one(tmp_path, lambda: None):
        built = await build_once(tmp_path / "app", fill)
    assert (built / "content").read_text() == "whole"
    assert sorted(names(tmp_path)) == ["app", "install.lock"]


async def test_a_second_installer_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    async def second() -> None:
        async with only_one(tmp_path, lambda: order.append("waits")):
            order.append("second")

    async with only_one(tmp_path, lambda: order.append("never")):
        task = asyncio.create_task(second())
        while not order:
            await asyncio.sleep(0.01)
        order.append("first")
    await task
    assert order == ["waits", "first", "second"]


async def test_a_failing_tool_is_quoted_with_its_last_error(tmp_path: Path) -> None:
    script = "echo fine; echo 'error: disk is full' >&2; echo bye; exit 3"
    with pytest.raises(LocalStackError, match=r"^unpacking failed: error: disk is full$"):
        await run(["sh", "-c", script], doing="unpacking", cwd=tmp_path)


async def test_what_a_tool_says_of_its_log_is_not_what_failed(tmp_path: Path) -> None:
    script = "echo npm error reason: no such host; echo npm error A complete log of this run: x; exit 1"
    with pytest.raises(LocalStackError, match=r"^unpacking failed: npm error reason: no such host$"):
        await run(["sh", "-c", script], doing="unpacking", cwd=tmp_path)


async def test_a_missing_tool_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"^unpacking failed: No such file or directory"):
        await run([tmp_path / "nothing"], doing="unpacking", cwd=tmp_path)


async def test_a_tool_that_never_ends_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pid_file}; wait"
    with pytest.raises(LocalStackError, match="took longer"):
        await run(["sh", "-c", script], doing="unpacking", cwd=tmp_path, minutes=0.01)
    assert await ended(int(pid_file.read_text()))


async def test_a_cancelled_tool_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pid_file}; wait"
    task = asyncio.create_task(run(["sh", "-c", script], doing="unpacking", cwd=tmp_path))
    while not pid_file.exists() or not pid_file.read_text():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ended(int(pid_file.read_text()))


async def ended(pid: int) -> bool:
    for _ in range(200):
        if state(pid) in ("", "Z"):
            return True
        await asyncio.sleep(0.01)
    return False


def state(pid: int) -> str:
    """The state letter of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]

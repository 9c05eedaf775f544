"""The stack itself: the memory it holds, and how long it takes to come up."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.figures import Cell, Section, Target, median, rounded
from bench.memory import NOTHING, Memory
from bench.sizes import Size
from infra.local.stack.addresses import OPTIONS
from tests.support.ports import free_port
from tests.support.stack import ROOT, RunningStack, podium

_COLD_MINUTES = 10
_HOW = (
    "Memory after all other benchmarks of the run, in MB: RSS as the sum over processes, PSS with shared "
    "pages divided. A later start is `up` {demo} on the data of this run, after `down`; the median of "
    "{starts}. A cold start is `./podium up` on a fresh clone with every cache empty: Python environment, "
    "Node, n8n, demo."
)


def measure(stack: RunningStack, size: Size, engine: str, memory: Mapping[str, Memory]) -> Section:
    """Return memory and start times; ``memory`` was taken while the stack ran. It is stopped by now."""
    later = [_later_start(stack, size, engine) for _ in range(_starts(size))][-size.starts :]
    ours = sum((held for name, held in memory.items() if name != "n8n"), NOTHING)
    rows: list[tuple[Cell, ...]] = [_row(name, held) for name, held in sorted(memory.items())]
    rows += [_row("all but n8n", ours), ("later start, s", rounded(median(later)), "")]
    targets = [
        Target("memory of all processes but n8n, MB (RSS)", rounded(ours.rss, 0), 500),
        Target("later start, s", rounded(median(later)), 30),
    ]
    if size.cold_start:
        cold = _cold_start(engine)
        rows.append(("cold start, s", rounded(cold), ""))
        targets.append(Target("cold start, s", rounded(cold), 240))
    demo = "with its demo" if size.cold_start else "without demo"
    return Section(
        name="stack",
        title="The stack",
        how=_HOW.format(demo=demo, starts=size.starts),
        columns=("", "RSS, MB", "PSS, MB"),
        rows=tuple(rows),
        targets=tuple(targets),
    )


def _starts(size: Size) -> int:
    # The first demo deploys the example and installs the CLI: it is no later start.
    return size.starts + 1 if size.cold_start else size.starts


def _later_start(stack: RunningStack, size: Size, engine: str) -> float:
    ports = [text for name, port in stack.ports.items() for text in (OPTIONS[name], str(port))]
    options = [] if size.cold_start else ["--no-demo"]
    began = time.monotonic()
    done = podium("up", "--state", str(stack.state), "--n8n-engine", engine, *ports, *options)
    seconds = time.monotonic() - began
    _expect(done)
    _expect(podium("down", "--state", str(stack.state)))
    return seconds


def _cold_start(engine: str) -> float:
    folder = Path(tempfile.mkdtemp(prefix="podium-cold-"))
    clone, state = folder / "podium", folder / "state"
    caches = {name: str(folder / "cache") for name in ("PODIUM_CACHE", "XDG_CACHE_HOME")}
    environment = {**os.environ, **caches, "npm_config_cache": str(folder / "cache" / "npm")}
    ports = [text for option in OPTIONS.values() for text in (option, str(free_port()))]
    try:
        _expect(_command("git", "clone", "--quiet", str(ROOT), str(clone)))
        began = time.monotonic()
        up = ("./podium", "up", "--state", str(state), "--n8n-engine", engine, *ports)
        done = _command(*up, folder=clone, environment=environment)
        seconds = time.monotonic() - began
        _command("./podium", "down", "--state", str(state), folder=clone, environment=environment)
        _expect(done)
        return seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(
    *arguments: str, folder: Path = ROOT, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_COLD_MINUTES * 60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _expect(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(done.args[:4])} failed: {done.stdout}{done.stderr}")


def _row(name: str, held: Memory) -> tuple[Cell, ...]:
    return (name, rounded(held.rss, 0), rounded(held.pss, 0))

"""``python -m bench verify``: how long checking takes, beside the npm CLI, over the same files."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.agreement.cli import Cli, cli
from bench.agreement.corpus import write
from bench.figures import Section, Target, median, rounded
from tests.support.stack import ROOT

COUNTS = (1, 3, 30, 300)
_RUNS = 11

Taken = dict[tuple[str, int], tuple[float, float]]
"""Median wall time and least processor time in milliseconds, by program and number of workflows."""


def measure() -> list[Section]:
    """Return the times of both, and what a workflow more costs each."""
    root = Path(tempfile.mkdtemp(prefix="podium-verify-"))
    try:
        return [_section(_taken(cli(root / "home"), root))]
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _taken(program: Cli, root: Path) -> Taken:
    taken: Taken = {}
    environment = {**os.environ, "HOME": str(program.home), "NO_COLOR": "1"}
    # As anywhere else, what Python compiled once it need not compile again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for count in COUNTS:
        folder = _use_case(root / f"case{count}", count)
        commands = {"ours": [str(ROOT / "podium"), "verify", str(folder), "--json"]}
        commands["cli"] = [*program.command, "verify", "use-case", str(folder), "--json"]
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for command in commands.values():
            _timed(command, environment)
        for _ in range(_RUNS):
            for name, command in commands.items():
                times[name].append(_timed(command, environment))
        for name, pairs in times.items():
            taken[name, count] = (median([wall for wall, _ in pairs]), min(cpu for _, cpu in pairs))
    return taken


def _use_case(folder: Path, count: int) -> Path:
    texts = [path.read_text("utf-8") for path in sorted(ROOT.glob("examples/*/workflows/*.json"))]
    # Those that call others would be found to call what the folder does not declare.
    given = [text for text in texts if "SUBWKFL" not in text]
    files = {f"workflows/w{index:03}.json": given[index % len(given)] for index in range(count)}
    listed = ", ".join(f"join(__dirname, '{name}')" for name in files)
    config = f"export const WORKFLOW_FILES = [{listed}];\nexport const getConfiguration = 1;\n"
    return write(folder, {**files, "config.ts": config, "project.json": json.dumps({"projectId": "p"})})


def _timed(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


def _section(taken: Taken) -> Section:
    rows = [
        (
            count,
            *(rounded(part) for name in ("ours", "cli") for part in taken[name, count]),
            rounded(taken["ours", count][1] / taken["cli", count][1], 2),
        )
        for count in COUNTS
    ]
    slopes = {name: (taken[name, 300][1] - taken[name, 30][1]) / 270 for name in ("ours", "cli")}
    early = (taken["ours", 30][1] - taken["ours", 3][1]) / 27
    return Section(
        "verify",
        "Checking workflows, beside the CLI",
        f"Milliseconds of {_RUNS} runs each, ours and the CLI's in turn, `--json` into nothing: median "
        "wall time, and least user and system time, to which others on the machine add. A workflow more "
        f"costs ours {slopes['ours']:.2f} ms and the CLI {slopes['cli']:.2f} ms of it, between 30 and 300.",
        ("workflows", "ours, wall", "ours, processor", "CLI, wall", "CLI, processor", "ratio of processor"),
        tuple(rows),
        (
            Target("one workflow / the CLI, processor", rows[0][-1], 0.33),
            Target("a workflow more / the CLI, processor", rounded(slopes["ours"] / slopes["cli"], 2), 0.1),
            Target("a workflow more from 30 to 300 / from 3 to 30", rounded(slopes["ours"] / early, 2), 1.2),
        ),
    )

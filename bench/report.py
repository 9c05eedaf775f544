"""Results as a file to keep and as a table to read."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Section
from infra.local.n8n.versions import N8N
from tests.support.stack import ROOT

RESULTS = Path(__file__).parent / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
ENDPOINTS = RESULTS / "endpoints"
ROLLOUT = RESULTS / "rollout"
FAIRNESS = RESULTS / "fairness"
AGREEMENT = RESULTS / "agreement"
VERIFY = RESULTS / "verify"
_ENDPOINTS_BEGIN = "<!-- endpoints: written by `python -m bench endpoints` -->"
_ENDPOINTS_END = "<!-- end of endpoints -->"
_ROLLOUT_BEGIN = "<!-- rollout: written by `python -m bench rollout` -->"
_ROLLOUT_END = "<!-- end of rollout -->"
_FAIRNESS_BEGIN = "<!-- fairness: written by `python -m bench fairness` -->"
_FAIRNESS_END = "<!-- end of fairness -->"
_AGREEMENT_BEGIN = "<!-- agreement: written by `python -m bench agreement` -->"
_AGREEMENT_END = "<!-- end of agreement -->"
_VERIFY_BEGIN = "<!-- verify: written by `python -m bench verify` -->"
_VERIFY_END = "<!-- end of verify -->"
_BEGIN, _END = "<!-- results: written by `make bench` -->", "<!-- end of results -->"

Results = Mapping[str, Any]
"""What a results file holds, as parsed."""


def collected(sections: Iterable[Section], size: str, engine: str, load: float) -> Results:
    """Return the results of a run; ``load`` is the machine's load average before it."""
    targets = [target for section in sections for target in section.targets]
    return {
        "taken": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "size": size,
        "engine": engine,
        "n8n": N8N,
        "cores": os.cpu_count(),
        "loadBefore": round(load, 2),
        "targetsMet": f"{sum(target.met for target in targets)} of {len(targets)}",
        "sections": [_section(section) for section in sections],
    }


def store(results: Results, folder: Path = RESULTS) -> Path:
    """Write the results file and return its place."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{results['size']}-{results['engine']}.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def document() -> None:
    """Put the tables of all results into the document; full runs count where there are any."""
    _replace(_BEGIN, _END, RESULTS)
    _replace(_ENDPOINTS_BEGIN, _ENDPOINTS_END, ENDPOINTS)
    _replace(_ROLLOUT_BEGIN, _ROLLOUT_END, ROLLOUT)
    _replace(_FAIRNESS_BEGIN, _FAIRNESS_END, FAIRNESS)
    _replace(_AGREEMENT_BEGIN, _AGREEMENT_END, AGREEMENT)
    _replace(_VERIFY_BEGIN, _VERIFY_END, VERIFY)


def _replace(begin: str, end: str, folder: Path) -> None:
    stored = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    full = [results for results in stored if results["size"] == "full"]
    tables = "\n".join(rendered(results) for results in full or stored)
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{begin}\n\n{tables}\n{end}{after}", encoding="utf-8")


def rendered(results: Results) -> str:
    """Return the results as Markdown."""
    head = (
        f"## n8n {results['n8n']}, {results['engine']} expression engine\n\n"
        f"Taken {results['taken']} on {results['cores']} cores (load average before: "
        f"{results['loadBefore']}), commit {results['commit']}, size {results['size']}. "
        f"Targets met: {results['targetsMet']}.\n"
    )
    return "\n".join([head, *(_rendered_section(section) for section in results["sections"])])


def _section(section: Section) -> Results:
    targets = [{**asdict(target), "met": target.met} for target in section.targets]
    return {**asdict(section), "targets": targets}


def _rendered_section(section: Results) -> str:
    table = _table(section["columns"], section["rows"])
    targets = _table(
        ("target", "bound", "reached", ""), [_rendered_target(target) for target in section["targets"]]
    )
    return f"### {section['title']}\n\n{table}\n{targets}\n{section['how']}\n"


def _rendered_target(target: Results) -> Sequence[object]:
    bound = f"{'≥' if target['at_least'] else '≤'} {_cell(target['bound'])}"
    return (target["what"], bound, target["reached"], "met" if target["met"] else "**missed**")


def _table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [columns, ["---", *("---:" for _ in columns[1:])], *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _commit() -> str:
    done = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"

"""Figures from log lines, as text that Prometheus reads (decision 0029).

Takes the lines as processes write them, and entries as Cloud Logging exports them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the latency's buckets, in seconds."""

_LABELS = ("organizationId", "processInstanceId", "workflowId")
_NAMES = ("organization", "process_instance", "workflow")


@dataclass(slots=True)
class Figures:
    """What the lines that were read add up to; seconds."""

    latencies: list[float] = field(default_factory=list)
    queue_age: tuple[str, float] = ("", 0.0)
    oldest: float = 0.0
    ended: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Count one line."""
        if isinstance(latency := entry.get("dispatchLatencySeconds"), int | float):
            self.latencies.append(float(latency))
        if isinstance(age := entry.get("queueAgeSeconds"), int | float):
            self.queue_age = max(self.queue_age, (str(entry.get("time", "")), float(age)))
            self.oldest = max(self.oldest, float(age))
        for run in entry.get("runsEnded") or ():
            self.ended[(*(str(run.get(label, "")) for label in _LABELS), str(run.get("status")))] += 1


def read_figures(lines: Iterable[str]) -> Figures:
    """Return the figures of lines; what is no JSON object is passed over."""
    figures = Figures()
    for entry in _entries(lines):
        figures.take(entry)
    return figures


def prometheus(figures: Figures) -> str:
    """Return the figures in Prometheus' text format."""
    return "\n".join([*_latency(figures.latencies), *_age(figures), *_ended(figures.ended)]) + "\n"


def _entries(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            payload = entry.get("jsonPayload")
            yield {"time": entry.get("timestamp", ""), **payload} if isinstance(payload, dict) else entry


def _latency(seconds: list[float]) -> Iterator[str]:
    name = "podium_dispatch_latency_seconds"
    yield f"# HELP {name} From the trigger of a run until n8n had it."
    yield f"# TYPE {name} histogram"
    for bound in BUCKETS:
        yield f'{name}_bucket{{le="{bound}"}} {sum(value <= bound for value in seconds)}'
    yield f'{name}_bucket{{le="+Inf"}} {len(seconds)}'
    yield f"{name}_sum {round(sum(seconds), 3)}"
    yield f"{name}_count {len(seconds)}"


def _age(figures: Figures) -> Iterator[str]:
    yield "# HELP podium_queue_age_seconds How long the run had waited whose task was delivered last."
    yield "# TYPE podium_queue_age_seconds gauge"
    yield f"podium_queue_age_seconds {figures.queue_age[1]}"
    yield "# HELP podium_queue_age_max_seconds The longest that any run had waited."
    yield "# TYPE podium_queue_age_max_seconds gauge"
    yield f"podium_queue_age_max_seconds {figures.oldest}"


def _ended(ended: Counter[tuple[str, ...]]) -> Iterator[str]:
    yield "# HELP podium_runs_ended_total Runs that ended, by workflow and outcome."
    yield "# TYPE podium_runs_ended_total counter"
    for (*whose, status), count in sorted(ended.items()):
        yield f"podium_runs_ended_total{{{_labels(whose)},status={_quoted(status)}}} {count}"
    yield "# HELP podium_run_failure_ratio Of the runs of a workflow that ended, the part that failed."
    yield "# TYPE podium_run_failure_ratio gauge"
    for whole in sorted({key[:-1] for key in ended}):
        total = sum(count for key, count in ended.items() if key[:-1] == whole)
        yield f"podium_run_failure_ratio{{{_labels(whole)}}} {round(ended[(*whole, 'failed')] / total, 4)}"


def _labels(values: Iterable[str]) -> str:
    return ",".join(f"{name}={_quoted(value)}" for name, value in zip(_NAMES, values, strict=True))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

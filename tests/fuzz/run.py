"""Schemathesis over the OpenAPI document, against a real gateway."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.cases import Cast, new_cast
from tests.integration.world.world import World
from tests.support.stack import ROOT


def no_failure_of_ours(_: Any, response: Any, __: Any) -> None:
    """502 is n8n's failure; that it is documented is checked with every other status."""
    assert response.status_code < 500 or response.status_code == 502, "a failure of ours"


_CHECKS = [
    no_failure_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

_PATIENCE = 60
"""Seconds an answer may take."""


@dataclass(slots=True)
class Report:
    """What was sent, what came back, and what should not have."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)
    """A request that shows it, by what went wrong."""

    def lines(self) -> list[str]:
        """Return the report as text."""
        spread = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        total = sum(self.statuses.values())
        head = f"fuzz: {total} requests to {len(self.operations)} operations: {spread}"
        return [
            head,
            f"fuzz: {len(self.findings)} findings",
            *(f"{w}\n{r}" for w, r in self.findings.items()),
        ]


async def fuzz(world: World, total: int, number: int, *, only: str = "", fresh: bool = True) -> Report:
    """Send about ``total`` requests; ``fresh`` gives every operation objects of its own."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    document["servers"] = [{"url": world.gateway.base_url}]
    schema = schemathesis.openapi.from_dict(document)
    operations: list[Any] = [found.ok() for found in _all(schema)]
    chosen = [operation for operation in operations if only.lower() in operation.label.lower()]
    report, each, cast = Report(), max(1, -(-total // len(chosen))), await new_cast(world)
    for operation in chosen:
        cast = await new_cast(world) if fresh else cast
        await asyncio.to_thread(_one, operation, cast, each, number, world.gateway.base_url, report)
    return report


def _all(schema: Any) -> Any:
    return schema.get_all_operations()


def _one(operation: Any, cast: Cast, count: int, number: int, base_url: str, report: Report) -> None:
    share = {GenerationMode.POSITIVE: -(-count * 2 // 3), GenerationMode.NEGATIVE: count // 3}
    # A new thread warns as the interpreter's default says, not as the test runner does.
    with warnings.catch_warnings(), requests.Session() as session:
        warnings.simplefilter("ignore")
        session.trust_env = False
        for mode, examples in share.items():
            if examples:
                _explore(
                    operation, mode, examples, number, _sender(operation, cast, session, base_url, report)
                )


def _explore(
    operation: Any, mode: GenerationMode, examples: int, number: int, send: Callable[[Any], None]
) -> None:
    quiet = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(number)
    @quiet
    @given(case=operation.as_strategy(generation_mode=mode))
    def explore(case: Any) -> None:
        send(case)

    # An operation that takes nothing, or anything, has no wrong requests.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        explore()


def _sender(
    operation: Any, cast: Cast, session: requests.Session, base_url: str, report: Report
) -> Callable[[Any], None]:
    def send(case: Any) -> None:
        caller, headers = cast.headers()
        for part in (case.path_parameters, case.query, case.body):
            cast.fill(part)
        response = case.call(base_url=base_url, headers=headers, session=session, timeout=_PATIENCE)
        report.statuses[response.status_code] += 1
        report.operations[operation.label] += 1
        try:
            case.validate_response(response, checks=_CHECKS)
        except (FailureGroup, Failure, AssertionError) as failed:
            failures: Any = failed.exceptions if isinstance(failed, FailureGroup) else (failed,)
            for failure in failures:
                title = getattr(failure, "title", type(failure).__name__)
                said = getattr(failure, "message", str(failure))[:300]
                what = f"{operation.label} [{response.status_code}]: {title}: {said}"
                report.findings.setdefault(what, _shown(case, caller, response))

    return send


def _shown(case: Any, caller: str, response: Any) -> str:
    sent = json.dumps({"path": case.path_parameters, "query": case.query}, default=repr)[:400]
    body = repr(case.body)[:400]
    return f"    {caller} sent {sent} {body}\n    got {response.text[:400]}"

"""Deploying the example of five workflows, beside the bare n8n calls that takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from bench.api import Json, create_project, deploy
from bench.bare import Bare, Ensemble
from bench.example import order_desk, with_one_change
from bench.figures import Cell, Section, Target, median, quantile, rounded
from bench.load import timed
from bench.session import Session
from infra.local.bootstrap.bootstrap import BACKEND
from shared.services.runs.backend import n8n_client

_HOW = (
    "`examples/order-desk` (5 workflows on 2 levels) into {deploys} new projects, alternating with the bare "
    "calls for the same resolved workflows: create and publish, children first, those of a level at once, "
    "then wait until the webhooks answer. The platform's time is that of the whole request: checking, "
    "storing, resolving and guarding besides. It also restricts who may call each sub-workflow, a call more "
    "for each; the second row gives the bare calls that too. One change is a new node in one workflow; bare: "
    "save, publish, wait. Medians, with p90 beside."
)


@dataclass(slots=True)
class _Taken:
    """Milliseconds of each deploy."""

    first: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)
    bare_guarded: list[float] = field(default_factory=list)
    bare_first: list[float] = field(default_factory=list)
    bare_changed: list[float] = field(default_factory=list)


async def measure(session: Session) -> Section:
    """Return the time of deploys as ratios to the bare calls."""
    configuration = await order_desk()
    bare = Bare(session)
    taken = _Taken()
    try:
        # The first deploy on a fresh stack loads keys and code; it is not measured.
        ensemble = await _platform(session, configuration, bare, _Taken())
        await _bare(session, bare, ensemble, _Taken())
        for _ in range(session.size.deploys):
            ensemble = await _platform(session, configuration, bare, taken)
            await _bare(session, bare, ensemble, taken)
    finally:
        await bare.close()
    return _section(session.size.deploys, taken)


async def _platform(session: Session, configuration: Json, bare: Bare, taken: _Taken) -> Ensemble:
    """Deploy thrice into a new project, and return what is in n8n after the first time."""
    project_id = await create_project(session, "Bench deploy")
    milliseconds, data = await timed(deploy(session, project_id, configuration))
    taken.first.append(milliseconds)
    rows = cast("list[Json]", data["workflowsDeployed"])
    n8n_ids = [str(row["n8nWorkflowId"]) for row in rows]
    ensemble = await bare.read(n8n_ids, (str(data["processId"]), str(data["processInstanceId"])))
    milliseconds, _ = await timed(deploy(session, project_id, configuration))
    taken.unchanged.append(milliseconds)
    milliseconds, _ = await timed(deploy(session, project_id, with_one_change(configuration, "changed")))
    taken.changed.append(milliseconds)
    await _remove(session, n8n_ids)
    return ensemble


async def _bare(session: Session, bare: Bare, ensemble: Ensemble, taken: _Taken) -> None:
    milliseconds, made = await timed(bare.deploy(ensemble, guarded=True))
    taken.bare_guarded.append(milliseconds)
    await _remove(session, list(made))
    milliseconds, made = await timed(bare.deploy(ensemble, guarded=False))
    taken.bare_first.append(milliseconds)
    n8n_id, body = list(made.items())[-1]
    milliseconds, _ = await timed(bare.change(n8n_id, body))
    taken.bare_changed.append(milliseconds)
    await _remove(session, list(made))


async def _remove(session: Session, n8n_ids: list[str]) -> None:
    client = await n8n_client(session.platform, BACKEND)
    for n8n_id in reversed(n8n_ids):
        await client.unpublish(n8n_id)
    for n8n_id in n8n_ids:
        await client.delete_workflow(n8n_id)


def _section(deploys: int, taken: _Taken) -> Section:
    first = median(taken.first) / median(taken.bare_first)
    return Section(
        name="deploy",
        title="Deploying five workflows",
        how=_HOW.format(deploys=deploys),
        columns=("ms", "platform", "p90", "bare calls", "p90", "ratio"),
        rows=(
            _row("first deploy", taken.first, taken.bare_first),
            _row("first deploy, bare calls restricting callers", taken.first, taken.bare_guarded),
            _row("redeploy with one change", taken.changed, taken.bare_changed),
            ("redeploy unchanged", *_spread(taken.unchanged), "none", "", ""),
        ),
        targets=(Target("first deploy / bare calls", rounded(first, 2), 1.3),),
    )


def _row(what: str, ours: list[float], theirs: list[float]) -> tuple[Cell, ...]:
    return (what, *_spread(ours), *_spread(theirs), rounded(median(ours) / median(theirs), 2))


def _spread(values: list[float]) -> tuple[float, float]:
    return rounded(median(values)), rounded(quantile(values, 0.9))

"""Versions: what the difference of two takes, and what deploying an unchanged one again costs."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import cast

import orjson

from bench.api import Json, call, create_project, deploy
from bench.example import multiplied, order_desk, with_one_change
from bench.figures import Section, Target, median, rounded
from bench.load import timed
from bench.session import Session
from shared.ensemble.difference import Sources, difference
from shared.model.template import Template
from shared.model.tokens import with_nulls
from shared.store import refs
from shared.store.blobs import Blob
from shared.store.query import below, tally

_COPIES = 6
_ROUNDS = 9
_HOW = (
    "The example six times: 30 workflows. The difference of two versions in whose files every workflow "
    "changed, beside parsing the JSON of both; the same as a request, one workflow having changed. Then that "
    "use case is deployed, and deployed again unchanged. Medians of {rounds} rounds; deploys once."
)


async def measure(session: Session) -> Section:
    """Return the time of comparing, and time and storage of an unchanged redeploy."""
    configuration = multiplied(await order_desk(), _COPIES)
    before, after = _sources(configuration, "one"), _sources(configuration, "another")
    comparing = _timed(lambda: difference(before, after))
    parsing = _timed(lambda: [orjson.loads(with_nulls(t)) for s in (before, after) for t in s.texts.values()])
    project_id = await create_project(session, "Bench versions")
    first, data = await timed(deploy(session, project_id, configuration))
    stored = await _blobs(session, str(data["templateId"]))
    again, data = await timed(deploy(session, project_id, configuration))
    added = await _blobs(session, str(data["templateId"])) - stored
    await deploy(session, project_id, with_one_change(configuration, "one change"))
    asked = await _asked(session, project_id)
    rows = (
        (
            "difference of 30 workflows, all changed, ms",
            rounded(comparing),
            rounded(parsing),
            _ratio(comparing, parsing),
        ),
        ("the same as a request, one changed, ms", rounded(asked), "–", "–"),
        (
            "deploy of 30 unchanged workflows beside the first, ms",
            rounded(again),
            rounded(first),
            _ratio(again, first),
        ),
        ("contents stored by it beside the first", added, stored, _ratio(added, stored)),
    )
    targets = (
        Target("difference of 30 workflows, ms", rounded(max(comparing, asked)), 200),
        Target("contents an unchanged version stores", added, 0),
    )
    columns = ("", "platform", "beside", "ratio")
    return Section("versions", "Versions", _HOW.format(rounds=_ROUNDS), columns, rows, targets)


def _ratio(one: float, other: float) -> float:
    return rounded(one / other, 2)


def _timed(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def _sources(configuration: Json, mark: str) -> Sources:
    """Return a version in whose every node the type version is marked."""
    workflows = cast("list[Json]", configuration["workflows"])
    texts = {
        str(w["workflowTemplateId"]): base64.b64decode(str(w["n8nWorkflowJsonBase64"])).decode()
        for w in workflows
    }
    marked = {
        name: text.replace('"typeVersion":', f'"notes": "{mark}", "typeVersion":')
        for name, text in texts.items()
    }
    stated = [{k: v for k, v in w.items() if k != "n8nWorkflowJsonBase64"} for w in workflows]
    return Sources({**configuration, "workflows": stated}, marked)


async def _blobs(session: Session, template_id: str) -> int:
    found = await session.platform.store.get(refs.template(template_id))
    assert found is not None
    template: Template = found.value
    return await tally(
        session.platform.store, below(refs.organization(template.organization_id), "blobs", Blob)
    )


async def _asked(session: Session, project_id: str) -> float:
    path = f"/compareVersionsPublic?projectId={project_id}&from=1.1&to=1.2"
    return median(
        [(await timed(call(session, "GET", path, session.stack.owner_key)))[0] for _ in range(_ROUNDS)]
    )

"""Statuses go where the contract says, and nobody writes one past the tables (platform §4)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from itertools import product

import pytest

from shared.model.deployment import DeploymentStatus
from shared.model.ingestion import IngestionStatus
from shared.model.project import ProjectStatus
from shared.model.rollout import RolloutStatus, TargetStatus
from shared.model.stage import StageStatus
from shared.model.template import TemplateStatus
from shared.model.transitions import TRANSITIONS, ForbiddenMove, is_final, may_become, moved, reached
from tests.support.sources import Source, broken_in

ALLOWED: dict[type[StrEnum], str] = {
    ProjectStatus: "draft>in_progress in_progress>completed completed>in_progress",
    TemplateStatus: "inactive>published published>deprecated",
    DeploymentStatus: (
        "pending>deploying deploying>deployed deploying>failed deployed>updating updating>deployed "
        "updating>failed failed>deploying"
    ),
    IngestionStatus: "pending>active pending>failed active>superseded active>inactive",
    StageStatus: "accepted>superseded",
    RolloutStatus: (
        "planning>running planning>cancelled planning>superseded running>planning running>completed "
        "running>cancelled running>superseded completed>planning cancelled>planning"
    ),
    TargetStatus: (
        "pending>deploying pending>failed pending>notified pending>skipped pending>cancelled "
        "deploying>deployed deploying>failed failed>pending cancelled>pending"
    ),
}
PAIRS = [(before, after) for kind in ALLOWED for before, after in product(kind, repeat=2)]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_pair_of_statuses_is_a_move_or_refused(before: StrEnum, after: StrEnum) -> None:
    allowed = f"{before.value}>{after.value}" in ALLOWED[type(before)].split()

    assert may_become(before, after) is allowed
    if allowed:
        assert moved(before, after) is after
        assert reached(before, after) is after
    else:
        with pytest.raises(ForbiddenMove, match=f"{before.value} cannot become {after.value}"):
            moved(before, after)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_only_who_may_stay_stays(before: StrEnum, after: StrEnum) -> None:
    if before is after:
        assert reached(before, after) is after
    elif not may_become(before, after):
        with pytest.raises(ForbiddenMove):
            reached(before, after)


@pytest.mark.parametrize("kind", list(TRANSITIONS), ids=lambda kind: kind.__name__)
def test_every_status_has_its_row_and_leads_to_its_own_kind(kind: type[StrEnum]) -> None:
    assert set(TRANSITIONS[kind]) == set(kind)
    assert all(following <= set(kind) for following in TRANSITIONS[kind].values())


def test_what_ends_for_good_is_what_the_contract_says() -> None:
    final = {f"{kind.__name__}.{status.value}" for kind in ALLOWED for status in kind if is_final(status)}

    assert final == {
        "TemplateStatus.deprecated",
        "IngestionStatus.failed",
        "IngestionStatus.inactive",
        "IngestionStatus.superseded",
        "StageStatus.superseded",
        "RolloutStatus.superseded",
        "TargetStatus.deployed",
        "TargetStatus.notified",
        "TargetStatus.skipped",
    }


LED_TO = {
    f"{kind.__name__}.{status.name}"
    for kind in ALLOWED
    for status in kind
    if any(status in following for following in TRANSITIONS[kind].values())
}
"""What no row leads to is what something begins with."""
FIELDS = ("status", "deployment_status")


def _past_the_tables(source: Source) -> Iterator[int]:
    """Lines that write a status without asking for the move."""
    for node in source.nodes:
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            is_status = isinstance(key, ast.Constant) and key.value in FIELDS
            if is_status and isinstance(value, ast.Attribute) and ast.unparse(value) in LED_TO:
                yield value.lineno


def test_a_status_is_written_by_way_of_its_table() -> None:
    assert broken_in(lambda source: list(_past_the_tables(source))) == {}


@pytest.mark.parametrize(
    "code",
    [
        'Patch(ref, {"status": TemplateStatus.PUBLISHED})',
        'x = {"deployment_status": DeploymentStatus.FAILED, "error": None}',
    ],
)
def test_a_way_past_the_tables_would_be_noticed(code: str) -> None:
    assert list(_past_the_tables(Source("shared/services/x.py", ast.parse(code))))

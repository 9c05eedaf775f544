"""A few hundred generated requests; ``python -m tests.fuzz`` sends as many as one likes."""

from __future__ import annotations

from tests.fuzz.run import fuzz
from tests.integration.world.world import World


async def test_generated_requests_meet_no_failure_and_no_answer_that_is_not_documented(world: World) -> None:
    report = await fuzz(world, 300, 1, fresh=False)

    assert list(report.findings) == [], "\n".join(report.lines())
    assert sum(report.statuses.values()) >= 250
    assert any(status == 200 for status in report.statuses)

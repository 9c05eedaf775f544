"""The figures that log lines add up to, after traffic that is known (decision 0029)."""

from __future__ import annotations

import asyncio
import json
import re
import sys

from infra.operate.metrics import prometheus, read_figures
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.world import World
from tests.support.stack import ROOT


async def end(gateway: Gateway, metadata: dict[str, str], *, fails: bool) -> None:
    body = {"executionId": metadata["executionId"], "executionSecret": metadata["executionSecret"]}
    more: dict[str, object]
    name, more = "submitWorkflowResult", {"resultData": {"n": 1}}
    if fails:
        name, more = "submitWorkflowError", {"errorDetails": {"type": "node_failure", "message": "Boom"}}
    for _ in range(2):
        answer = await gateway.callback(name, {**body, **more})
        assert answer.status_code == 200, answer.text


async def test_the_figures_are_those_of_the_traffic(world: World) -> None:
    gateway = await world.another_gateway("figures")
    installed: Installation = await world.install()
    installed.behave(started)
    runs = [await gateway.trigger(installed.path, installed.key) for _ in range(5)]
    await eventually(lambda: len(installed.calls) == 5)
    await eventually(lambda: sum("dispatchLatencySeconds" in line for line in gateway.lines()) == 5)
    calls = {call.execution_id: call.body["executionMetadata"] for call in installed.calls}

    for number, execution in enumerate(runs[:4]):
        await end(gateway, calls[execution], fails=number == 0)

    command = (sys.executable, "-m", "infra.operate", "metrics", str(gateway.log))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    whose = (
        f'organization="{installed.tenant.organization_id}",process_instance="{installed.id}",workflow="main"'
    )
    assert f'podium_runs_ended_total{{{whose},status="failed"}} 1\n' in said
    assert f'podium_runs_ended_total{{{whose},status="success"}} 3\n' in said
    assert f"podium_run_failure_ratio{{{whose}}} 0.25\n" in said
    assert "podium_dispatch_latency_seconds_count 5\n" in said
    assert 'podium_dispatch_latency_seconds_bucket{le="+Inf"} 5\n' in said
    (age,) = re.findall(r"^podium_queue_age_max_seconds ([\d.]+)$", said, re.MULTILINE)
    (total,) = re.findall(r"^podium_dispatch_latency_seconds_sum ([\d.]+)$", said, re.MULTILINE)
    assert 0 < float(age) <= float(total) < 60


def test_lines_are_read_as_they_are_written_and_as_cloud_logging_exports_them() -> None:
    written = {"time": "2026-01-01T00:00:01", "queueAgeSeconds": 3.5, "dispatchLatencySeconds": 4}
    exported = {"timestamp": "2026-01-01T00:00:02Z", "jsonPayload": {"queueAgeSeconds": 1.5}}
    ended = {"runsEnded": [{"workflowId": 'a"b', "status": "failed"}]}
    lines = [json.dumps(line) for line in (exported, written, ended)]

    said = prometheus(read_figures([*lines, "no JSON", "[]", ""]))

    assert "podium_queue_age_seconds 1.5\n" in said
    assert "podium_queue_age_max_seconds 3.5\n" in said
    assert 'podium_dispatch_latency_seconds_bucket{le="2.5"} 0\n' in said
    assert 'podium_dispatch_latency_seconds_bucket{le="5.0"} 1\n' in said
    assert 'workflow="a\\"b",status="failed"} 1\n' in said

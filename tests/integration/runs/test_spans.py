"""Spans as a collector receives them: a real receiver of OTLP over HTTP, and the platform as it runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.world.gateway import eventually
from tests.integration.world.n8n import reporting
from tests.integration.world.world import World
from tests.support.stack import ROOT

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[str, list[Any]]]:
    """The address of a collector, and the spans it was sent."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    spans: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                scopes = [scope for of in request.resource_spans for scope in of.scope_spans]
                spans.extend(span for scope in scopes for span in scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


async def test_a_run_is_one_tree_of_spans(world: World, collector: tuple[str, list[Any]]) -> None:
    address, spans = collector
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    gateway = await world.another_gateway("spans", **settings)
    installed = await world.install()
    installed.behave(reporting(resultData={"done": True}))

    answer = await gateway.http.post(
        f"/webhook/{installed.path}",
        json={},
        headers={"X-API-Key": installed.key, "traceparent": f"00-{TRACE}-{SPAN}-01"},
    )
    wanted = {"triggerWebhookPublic", "dispatchExecution", "n8n.webhook", "submitWorkflowResult"}
    await eventually(lambda: wanted <= {span.name for span in spans})

    found = {span.name: span for span in spans if span.name in wanted}
    assert {span.trace_id.hex() for span in found.values()} == {TRACE}
    trigger, dispatch = found["triggerWebhookPublic"], found["dispatchExecution"]
    assert trigger.parent_span_id.hex() == SPAN
    assert dispatch.parent_span_id == trigger.span_id
    assert found["n8n.webhook"].parent_span_id == dispatch.span_id
    assert found["submitWorkflowResult"].parent_span_id == trigger.span_id
    assert all(span.start_time_unix_nano < span.end_time_unix_nano for span in found.values())
    # Logs, answers and spans name the same span; n8n is told the span of its call.
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{trigger.span_id.hex()}-01"
    assert gateway.line_of(answer)["spanId"] == trigger.span_id.hex()
    (call,) = installed.calls
    assert call.headers["traceparent"] == f"00-{TRACE}-{found['n8n.webhook'].span_id.hex()}-01"


async def test_a_collector_that_is_gone_disturbs_nobody(world: World) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    gateway = await world.another_gateway("no-collector", **settings)
    installed = await world.install()
    installed.behave(reporting(resultData={}))

    run = await gateway.trigger(installed.path, installed.key)

    assert (await gateway.status(installed.id, run, installed.key, wait=10))["status"] == "success"


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    """Serving a request included. The libraries of Google import the bare namespace themselves."""
    code = (
        "import sys\n"
        "from functions import load_all\n"
        "from shared.telemetry import current, spans\n"
        "load_all()\n"
        "spans.serve_span('x', current.begin(None).trace, None, 0.1, 200, {})\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry.')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"GOOGLE_CLOUD_PROJECT": "p", "PUBLIC_BASE_URL": "http://127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr

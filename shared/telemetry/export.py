"""Handing spans to OpenTelemetry's exporter. Imported only when somebody wants spans."""

from __future__ import annotations

import atexit
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

from shared.telemetry.trace import Trace

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}


class Export:
    """Sends spans in batches; ``OTEL_…`` variables set address, headers, delays and the service's name."""

    def __init__(self) -> None:
        self._processor = BatchSpanProcessor(OTLPSpanExporter())
        # Resource.create lets OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        self._resource = Resource({SERVICE_NAME: "podium"}).merge(Resource.create())
        if self._resource.attributes.get(SERVICE_NAME) == "unknown_service":
            self._resource = self._resource.merge(Resource({SERVICE_NAME: "podium"}))
        self._scope = InstrumentationScope("podium")
        atexit.register(self._processor.shutdown)

    def add(
        self,
        name: str,
        kind: str,
        trace: Trace,
        parent: Trace | None,
        times: tuple[int, int],
        attributes: Mapping[str, str | int | float | bool],
        *,
        failed: bool,
    ) -> None:
        """Send a span that has ended; ``times`` are in nanoseconds since 1970. It is not waited for."""
        began, ended = times
        span = ReadableSpan(
            name=name,
            context=_context(trace, is_remote=False),
            parent=_context(parent, is_remote=kind == "server") if parent else None,
            resource=self._resource,
            attributes=dict(attributes),
            kind=_KINDS[kind],
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
            start_time=began,
            end_time=ended,
        )
        self._processor.on_end(span)


def _context(trace: Trace, *, is_remote: bool) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    state = TraceState.from_header([trace.state]) if trace.state else None
    return SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), is_remote, flags, state)

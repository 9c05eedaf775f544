"""Spans for an OpenTelemetry collector, when ``OTEL_EXPORTER_OTLP_ENDPOINT`` names one (decision 0029).

Off, nothing of OpenTelemetry is imported. On, ended spans are handed to the SDK's batch processor, which
sends them from a thread of its own; the trace and its ids are the platform's, so logs and spans agree.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from shared.sources import Sources
from shared.telemetry.current import current_trace
from shared.telemetry.trace import Trace

if TYPE_CHECKING:
    from shared.telemetry.export import Export

log = logging.getLogger(__name__)

_SOURCES = Sources()

Attributes = Mapping[str, str | int | float | bool]


@cache
def export() -> Export | None:
    """Return where spans go; ``None`` when nobody wants them."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from shared.telemetry.export import Export
    except ImportError:
        log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set without OpenTelemetry installed: no spans are sent")
        return None
    return Export()


def serve_span(
    name: str, trace: Trace, caller: Trace | None, seconds: float, status: int, attributes: Attributes
) -> None:
    """Hand over the span of a request that was just answered."""
    if (to := export()) is not None:
        ended = time.time_ns()
        began = ended - int(seconds * 1_000_000_000)
        told = {**attributes, "http.response.status_code": status}
        to.add(name, "server", trace, caller, (began, ended), told, failed=status >= 500)


@contextmanager
def client_span(name: str, attributes: Attributes) -> Iterator[dict[str, str]]:
    """Make a span of the call in the body of the ``with``; yields the trace headers of that call."""
    here, to = current_trace(), export()
    if here is None or to is None:
        yield here.headers if here else {}
        return
    inner = replace(here, span_id=_SOURCES.hexadecimal(8))
    began, failed = time.time_ns(), True
    try:
        yield inner.headers
        failed = False
    finally:
        to.add(name, "client", inner, here, (began, time.time_ns()), attributes, failed=failed)

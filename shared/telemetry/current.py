"""Where the request that is being answered is in its trace, and what its log line will say.

One object per request, shared with the tasks it starts: whoever learns more puts it there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.sources import Sources
from shared.telemetry.trace import Trace, read_trace

_SOURCES = Sources()


@dataclass(slots=True)
class Current:
    """``caller`` is the span that led here, as its sender named it. ``fields`` go into the log line."""

    trace: Trace
    caller: Trace | None = None
    fields: dict[str, object] = field(default_factory=dict)
    late: Callable[[dict[str, object]], None] | None = None
    """Writes a line of its own: set once the request's line is written."""


_current: ContextVar[Current | None] = ContextVar("telemetry", default=None)


def begin(caller: Trace | None) -> Current:
    """Enter a span of the caller's trace, or of a new one; it is the current one from here on."""
    current = Current(_below(caller), caller)
    _current.set(current)
    return current


def current_trace() -> Trace | None:
    """Return the place in the trace; ``None`` outside of any request."""
    current = _current.get()
    return current.trace if current else None


def outgoing() -> dict[str, str]:
    """Return the trace headers of a call that is made now; none outside of any request."""
    trace = current_trace()
    return trace.headers if trace else {}


def follow(parent: str | None, state: str | None = None) -> None:
    """Go on with the trace that was stored with a run: what is done for a run belongs to its trace."""
    current, stored = _current.get(), read_trace([parent or ""], [state or ""])
    if current is None or stored is None or stored.trace_id == current.trace.trace_id:
        return
    current.caller = stored
    current.trace = Trace(stored.trace_id, current.trace.span_id, stored.sampled, stored.state)


def note(**fields: object) -> None:
    """Add fields to the log line of the current request; lists are continued.

    What is learned after that line was written gets a line of its own.
    """
    current = _current.get()
    if current is None:
        return
    if current.late is not None:
        current.late(fields)
        return
    for name, value in fields.items():
        earlier = current.fields.get(name)
        if isinstance(value, list) and isinstance(earlier, list):
            value = [*earlier, *value]
        current.fields[name] = value


def log_fields() -> dict[str, object]:
    """Return what every log line says of its trace, also in the names that Cloud Logging knows."""
    trace = current_trace()
    if trace is None:
        return {}
    return {
        "traceId": trace.trace_id,
        "spanId": trace.span_id,
        "logging.googleapis.com/trace": f"projects/{_project()}/traces/{trace.trace_id}",
        "logging.googleapis.com/spanId": trace.span_id,
        "logging.googleapis.com/trace_sampled": trace.sampled,
    }


def _below(caller: Trace | None) -> Trace:
    span = _SOURCES.hexadecimal(8)
    if caller is None:
        return Trace(_SOURCES.hexadecimal(16), span)
    return Trace(caller.trace_id, span, caller.sampled, caller.state)


def _project() -> str:
    return os.environ.get("GOOGLE_CLOUD_PROJECT", "")

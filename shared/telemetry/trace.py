"""W3C Trace Context: reading and writing ``traceparent`` and ``tracestate``. Pure values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MEMBER = re.compile(
    r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: the trace's id, the id of the span one is in, and what vendors said of it."""

    trace_id: str
    span_id: str
    sampled: bool = True
    state: str = ""

    @property
    def parent(self) -> str:
        """The ``traceparent`` of what is called from here."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of what is called from here."""
        return {"traceparent": self.parent, **({"tracestate": self.state} if self.state else {})}


def read_trace(parents: Sequence[str], states: Sequence[str] = ()) -> Trace | None:
    """Return where a caller is, by its headers; ``None`` when it says nothing that can be understood.

    A broken ``tracestate`` is left out; it does not break the trace.
    """
    found = _PARENT.fullmatch(parents[0].strip(" \t")) if len(parents) == 1 else None
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    # A later version may say more after the flags, ours may not.
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & _SAMPLED), _state(",".join(states)))


def _state(text: str) -> str:
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    whole = ",".join(members)
    fits = len(members) <= _MOST_MEMBERS and len(whole) <= _LONGEST_STATE and len(keys) == len(members)
    return whole if fits and all(_MEMBER.fullmatch(member) for member in members) else ""

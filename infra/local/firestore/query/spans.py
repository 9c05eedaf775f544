"""Ranges of encoded values.

A span is a half-open interval of bytes; an upper bound of None means no end. Bounds are prefixes of
encodings, so an encoding is inside or outside, never across.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from infra.local.firestore.encoding import after, inverted


class Span(NamedTuple):
    """All encodings from ``low`` up to, and without, ``high``."""

    low: bytes
    high: bytes | None

    def holds(self, key: bytes) -> bool:
        """Whether the encoding lies inside."""
        return self.low <= key and (self.high is None or key < self.high)

    @property
    def empty(self) -> bool:
        """Whether nothing can lie inside."""
        return self.high is not None and self.low >= self.high


Spans = tuple[Span, ...]
EVERYTHING = Span(b"", None)


def prefixed(prefix: bytes) -> Span:
    """Everything that starts with ``prefix``."""
    return Span(prefix, after(prefix))


def intersect(left: Sequence[Span], right: Sequence[Span]) -> Spans:
    """What lies in both; both are sorted and disjoint, and so is the result."""
    found = [Span(max(a.low, b.low), lower(a.high, b.high)) for a in left for b in right]
    return tuple(sorted((span for span in found if not span.empty), key=lambda span: span.low))


def lower(left: bytes | None, right: bytes | None) -> bytes | None:
    """The lower of two upper bounds."""
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)


def outside(keys: Sequence[bytes], start: bytes) -> Spans:
    """Everything from ``start`` on that starts with none of ``keys``."""
    spans = []
    low: bytes | None = start
    for key in sorted(set(keys)):
        assert low is not None, "no encoding is the last of all"
        if key >= low:
            spans.append(Span(low, key))
            low = after(key)
    assert low is not None, "no encoding is the last of all"
    spans.append(Span(low, None))
    return tuple(span for span in spans if not span.empty)


def mirrored(spans: Sequence[Span]) -> Spans:
    """The same ranges over complemented encodings."""
    return tuple(Span(_flip_low(span.high), _flip_high(span.low)) for span in reversed(spans))


def _flip_low(bound: bytes | None) -> bytes:
    flipped = None if bound is None else after(inverted(bound))
    return b"" if flipped is None else flipped


def _flip_high(bound: bytes) -> bytes | None:
    return after(inverted(bound))


def shifted(spans: Sequence[Span], prefix: bytes) -> Spans:
    """The same ranges behind a common prefix."""
    end = after(prefix)
    return tuple(Span(prefix + span.low, end if span.high is None else prefix + span.high) for span in spans)

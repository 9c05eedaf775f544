"""Reading and writing traceparent and tracestate (W3C Trace Context)."""

from __future__ import annotations

from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry import current
from shared.telemetry.trace import Trace, read_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
ids = st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex)
spans = st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex)


@given(ids, spans, st.booleans())
def test_what_is_written_is_read_again(trace_id: str, span_id: str, sampled: bool) -> None:
    trace = Trace(trace_id, span_id, sampled)

    assert read_trace([trace.parent]) == trace


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        GOOD.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"0x-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01x",
    ],
)
def test_what_is_malformed_is_ignored(parent: str) -> None:
    assert read_trace([parent], ["a=b"]) is None


def test_two_parents_are_none() -> None:
    assert read_trace([GOOD, GOOD]) is None
    assert read_trace([]) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    later = read_trace([f"cc-{TRACE}-{SPAN}-ff-what-comes"])

    assert later == Trace(TRACE, SPAN, sampled=True)
    assert later.parent == GOOD


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("ff", True)])
def test_only_the_flag_for_sampling_is_known(flags: str, sampled: bool) -> None:
    assert read_trace([f"00-{TRACE}-{SPAN}-{flags}"]) == Trace(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=1 , ,b=2"], "a=1,b=2"),
        (["1t@sys=x"], "1t@sys=x"),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["a=\x01"], ""),
        (["a"], ""),
        ([",".join(f"k{n}=v" for n in range(33))], ""),
        (["k=" + "v" * 600], ""),
    ],
)
def test_a_broken_tracestate_is_left_out_and_breaks_nothing(states: list[str], kept: str) -> None:
    assert read_trace([GOOD], states) == Trace(TRACE, SPAN, state=kept)


@given(st.lists(st.text(max_size=80), max_size=2), st.lists(st.text(max_size=60), max_size=3))
def test_no_header_can_break_it_or_smuggle_a_line(parents: list[str], states: list[str]) -> None:
    trace = read_trace(parents, states)

    if trace is not None:
        assert all(value.isprintable() and value.isascii() for value in trace.headers.values())


def test_a_request_gets_a_span_of_its_own_in_the_callers_trace() -> None:
    context = copy_context()
    begun = context.run(current.begin, read_trace([GOOD], ["a=1"]))

    assert begun.trace.trace_id == TRACE
    assert begun.trace.span_id != SPAN
    assert context.run(current.outgoing) == {
        "traceparent": f"00-{TRACE}-{begun.trace.span_id}-01",
        "tracestate": "a=1",
    }


def test_without_a_caller_a_new_trace_begins() -> None:
    one, two = (copy_context().run(current.begin, None).trace for _ in range(2))

    assert read_trace([one.parent]) == one
    assert one.trace_id != two.trace_id

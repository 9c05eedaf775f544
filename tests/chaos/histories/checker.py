"""Judges a history: what was promised to whoever called, against what they saw. Pure, and blind to how.

A history is a list of events, each a JSON object with ``event`` and ``at`` (seconds). What is checked:

- *lost*: an accepted run has not ended when nothing goes wrong any more;
- *doubled*: n8n began a run twice, or two runs for one Idempotency-Key;
- *changed*: a run that had ended was seen otherwise later, or two outcomes were both taken;
- *invented*: a success that n8n never began, or a result nobody reported;
- *miscounted*: not exactly one charge for a success, or one for a failure; a balance that is not its ledger;
- *untold*: a subscriber was not told of an end, was told twice, of another end, or without a signature.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]
_ENDED = ("success", "failed")
_TOLD_AS = {"success": "execution.completed", "failed": "execution.failed"}


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and for which run or key."""

    kind: str
    about: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.words} ({self.about})"


def violations(history: Sequence[Event]) -> list[Violation]:
    """Return every promise that was broken."""
    return [
        *_lost(history),
        *_doubled(history),
        *_doubled_keys(history),
        *_changed(history),
        *_conflicting(history),
        *_invented(history),
        *_miscounted(history),
        *_unbalanced(history),
        *_untold(history),
    ]


def _of(history: Sequence[Event], kind: str) -> Iterator[Event]:
    return (event for event in history if event["event"] == kind)


def _lost(history: Sequence[Event]) -> Iterator[Violation]:
    finals = {event["execution"]: event for event in _of(history, "final")}
    for execution in dict.fromkeys(event["execution"] for event in _of(history, "accepted")):
        final = finals.get(execution)
        if final is None:
            yield Violation("lost", execution, "an accepted run is gone")
        elif final["status"] not in _ENDED:
            yield Violation("lost", execution, f"an accepted run stays {final['status']}")


def _doubled(history: Sequence[Event]) -> Iterator[Violation]:
    begun = defaultdict(list)
    for event in _of(history, "started"):
        begun[event["execution"]].append(event["n8n"])
    for execution, ids in begun.items():
        if len(ids) > 1:
            yield Violation("doubled", execution, f"n8n began it {len(ids)} times: {', '.join(ids)}")


def _doubled_keys(history: Sequence[Event]) -> Iterator[Violation]:
    runs: dict[str, set[str]] = defaultdict(set)
    for event in history:
        if event["event"] in ("accepted", "started") and event.get("key"):
            runs[event["key"]].add(event["execution"])
    for key, executions in runs.items():
        if len(executions) > 1:
            yield Violation("doubled", key, f"one Idempotency-Key has {len(executions)} runs")


def _changed(history: Sequence[Event]) -> Iterator[Violation]:
    ends: dict[str, Event] = {}
    for event in history:
        if event["event"] not in ("read", "final"):
            continue
        first = ends.get(event["execution"])
        if first is None:
            if event["status"] in _ENDED:
                ends[event["execution"]] = event
        elif any(first[name] != event[name] for name in ("status", "result", "error")):
            yield Violation("changed", event["execution"], f"{_seen(first)} became {_seen(event)}")


def _conflicting(history: Sequence[Event]) -> Iterator[Violation]:
    taken: dict[str, set[str]] = defaultdict(set)
    finals = {event["execution"]: event for event in _of(history, "final")}
    for event in (*_of(history, "reported"), *_of(history, "cancelled")):
        if event["answer"] == 200:
            taken[event["execution"]].add(f"{event['kind']} {event['value']!r}")
            final = finals.get(event["execution"])
            shown = final and (final["result"] if event["kind"] == "result" else final["error"])
            if final is None or shown != event["value"]:
                yield Violation("changed", event["execution"], f"{event['value']!r} was taken, not kept")
    for execution, outcomes in taken.items():
        if len(outcomes) > 1:
            yield Violation("changed", execution, "conflicting outcomes were both taken")


def _invented(history: Sequence[Event]) -> Iterator[Violation]:
    begun = {event["execution"] for event in _of(history, "started")}
    said = {(e["execution"], repr(e["value"])) for e in _of(history, "reporting") if e["kind"] == "result"}
    for final in _of(history, "final"):
        if final["status"] != "success":
            continue
        if final["execution"] not in begun:
            yield Violation("invented", final["execution"], "a success that n8n never began")
        elif (final["execution"], repr(final["result"])) not in said:
            yield Violation("invented", final["execution"], f"nobody reported {final['result']!r}")


def _miscounted(history: Sequence[Event]) -> Iterator[Violation]:
    for final in _of(history, "final"):
        wanted = 1 if final["status"] == "success" else 0
        if final["charges"] != wanted:
            words = f"{final['charges']} charges of a run that is {final['status']}"
            yield Violation("miscounted", final["execution"], words)


def _unbalanced(history: Sequence[Event]) -> Iterator[Violation]:
    for event in _of(history, "balance"):
        if event["balance"] != event["ledger"] or event["unsettled"]:
            words = f"{event['balance']} is not {event['ledger']}, or {event['unsettled']} are not settled"
            yield Violation("miscounted", "balance", words)


def _untold(history: Sequence[Event]) -> Iterator[Violation]:
    wanted = {
        (s["to"], f["execution"]): f["status"]
        for s in _of(history, "subscribed")
        for f in _of(history, "final")
        if f["status"] in s["statuses"]
    }
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in _of(history, "told"):
        about = (event["to"], event["execution"])
        told[about].add(event["id"])
        if event["status"] != wanted.get(about) or event["type"] != _TOLD_AS.get(event["status"]):
            words = f"{event['to']} was told {event['type']}, {event['status']}"
            yield Violation("untold", event["execution"], words)
        if not event["signed"]:
            yield Violation("untold", event["execution"], f"{event['to']} was told without a signature")
    for (to, execution), status in wanted.items():
        if len(told[to, execution]) != 1:
            words = f"{to} was told {len(told[to, execution])} times that it is {status}"
            yield Violation("untold", execution, words)


def _seen(event: Event) -> str:
    return f"{event['status']} {event['result']!r} {event['error']!r}"

"""``python -m tests.chaos.histories --seed N`` replays a history; ``--seeds COUNT`` plays many and counts."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.chaos.histories.checker import violations
from tests.chaos.histories.play import new_vault, play

_SLOW = 5.0
"""Seconds."""


def main() -> int:
    """Return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="tests.chaos.histories", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=0, metavar="COUNT", help="as many, from --seed on")
    given = parser.parse_args()
    vault = new_vault()
    if not given.seeds:
        history = play(given.seed, vault)
        print(history.lines())
        found = violations(history.events)
        print(*found, sep="\n", file=sys.stderr)
        return bool(found)
    return _many(range(given.seed, given.seed + given.seeds), vault)


def _many(seeds: range, vault: object) -> int:
    began, faults, events, broken = time.monotonic(), Counter[str](), Counter[str](), 0
    for seed in seeds:
        started = time.monotonic()
        history = play(seed, vault)  # type: ignore[arg-type]  # a vault
        if (took := time.monotonic() - started) > _SLOW:
            print(f"seed {seed}: {took:.0f} s, {history.deliveries} deliveries", flush=True)
        faults += history.faults
        events += Counter(str(event["event"]) for event in history.events)
        for violation in violations(history.events):
            broken += 1
            print(f"seed {seed}: {violation}", flush=True)
    for name, times in sorted(faults.items()) + sorted(events.items()):
        print(f"{times:8} {name}")
    print(f"{len(seeds)} histories, {broken} violations, {time.monotonic() - began:.0f} s")
    return broken > 0


if __name__ == "__main__":
    sys.exit(main())

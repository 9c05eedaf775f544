"""What requests cost: Firestore operations from the workers' logs, processor time from the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import orjson
import psutil

from bench.rollout.site import Site


@dataclass(slots=True)
class Cost:
    """The requests to one endpoint, each with its read calls, documents read and documents written."""

    requests: list[tuple[int, int, int]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    """How long each took."""

    def mean(self, which: int, part: slice = slice(None)) -> float:
        """Return the mean of one of the three over some of the requests, in the order they ended."""
        chosen = [request[which] for request in self.requests[part]]
        return sum(chosen) / len(chosen) if chosen else 0.0

    def most(self, which: int) -> int:
        """Return the largest of one of the three."""
        return max((request[which] for request in self.requests), default=0)


def positions(site: Site) -> list[int]:
    """Return where the workers' logs end now."""
    return [worker.log.stat().st_size for worker in site.workers]


def costs_since(site: Site, starts: Sequence[int]) -> Mapping[str, Cost]:
    """Return the costs of the requests logged since, by endpoint."""
    found: dict[str, Cost] = defaultdict(Cost)
    for entry in sorted(_entries(site, starts), key=lambda entry: str(entry.get("time", ""))):
        operations = entry.get("firestore")
        if isinstance(operations, dict):
            name = str(entry["message"]).split(" ")[0]
            spent = (operations["roundTrips"], operations["reads"], operations["writes"])
            found[name].requests.append(spent)
            found[name].milliseconds.append(_milliseconds(entry["httpRequest"]))
    return found


def _milliseconds(request: object) -> float:
    assert isinstance(request, dict)
    return float(str(request["latency"]).rstrip("s")) * 1000


def _entries(site: Site, starts: Sequence[int]) -> Iterator[dict[str, object]]:
    for worker, start in zip(site.workers, starts, strict=True):
        with worker.log.open("rb") as file:
            file.seek(start)
            for line in file:
                # A worker that was killed may leave half a line.
                if line.startswith(b"{") and line.endswith(b"}\n"):
                    yield orjson.loads(line)


def processor_seconds() -> Mapping[str, float]:
    """Return the processor time that the processes of this one have taken so far, by what they are."""
    taken: dict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        taken[_role(process.cmdline())] += times.user + times.system
    return taken


def _role(command: Sequence[str]) -> str:
    module = next((after for flag, after in pairwise(command) if flag == "-m"), "other")
    return module.rpartition(".")[2]

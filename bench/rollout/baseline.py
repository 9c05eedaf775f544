"""The bare minimum: the same n8n calls at the same concurrency, without the platform."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from bench.load import each
from bench.rollout.bare import Bare, Ensemble, opened
from bench.rollout.fleet import Fleet
from bench.rollout.site import Site
from bench.standin.server import API_KEY
from shared.store import refs

_COPIES_A_CALL = 100


@dataclass(frozen=True, slots=True)
class Bared:
    """How long it took, in seconds, and the calls that were made, by kind."""

    seconds: float
    calls: Mapping[str, int]


async def bare_updates(site: Site, fleet: Fleet, count: int, at_once: int, scale: float) -> Bared:
    """Bring another version into so many ensembles that no document knows of, and remove them again."""
    await site.stand_in("pace", {"scale": 0})
    made = await _copies(site, fleet, count)
    bare = opened(site.n8n_url, API_KEY)
    try:
        ensembles = await each(made, 10, lambda copy: _ensemble(bare, copy))
        await site.stand_in("pace", {"scale": scale})
        await site.stand_in("counts", {"reset": True})
        began = time.perf_counter()
        await each(ensembles, at_once, lambda ensemble: bare.update(ensemble, "bare"))
        seconds = time.perf_counter() - began
    finally:
        await bare.http.aclose()
    counts = cast("dict[str, dict[str, int]]", await site.stand_in("counts"))
    await site.stand_in("forget", {"ids": [n8n_id for copy in made for n8n_id in copy.values()]})
    return Bared(seconds, counts["calls"])


async def _copies(site: Site, fleet: Fleet, count: int) -> list[dict[str, str]]:
    """Return n8n ids by name in the use case, of every copy."""
    instance = await site.platform.store.get(refs.instance(fleet.production_id))
    assert instance is not None
    live = await site.platform.store.get(refs.deployment(instance.value.live_deployment_instance_id or ""))
    assert live is not None
    names = {row.n8n_workflow_id or "": row.workflow_id for row in live.value.workflows}
    copies: list[dict[str, str]] = []
    for start in range(0, count, _COPIES_A_CALL):
        texts = [
            {fleet.production_id: str(uuid.uuid4())} for _ in range(start, min(start + _COPIES_A_CALL, count))
        ]
        made = cast(
            "list[dict[str, list[str]]]", await site.stand_in("copy", {"ids": list(names), "texts": texts})
        )
        copies += [{names[old]: new[0] for old, new in copy.items()} for copy in made]
    return copies


async def _ensemble(bare: Bare, copy: Mapping[str, str]) -> Ensemble:
    levels = ((copy["leaf-a"], copy["leaf-b"]), (copy["alpha"],))
    return Ensemble(levels, {n8n_id: await bare.read(n8n_id) for n8n_id in copy.values()})

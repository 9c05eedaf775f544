"""One history: what a seed makes of clients, platform, queue, store and n8n, written down as it is seen."""

from __future__ import annotations

import asyncio
import io
import logging
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.clock import CommitClock
from infra.local.firestore.entries import Indexer
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.service.methods import handlers
from infra.local.firestore.storage import Storage
from infra.local.firestore.store import Store as Engine
from infra.local.firestore.transactions import Transactions
from shared.model.execution import Execution
from shared.model.ledger import LedgerEntry
from shared.services import faults as points
from shared.services.organizations.provision import register_backend
from shared.services.queues import ensure_queues
from shared.settings import read_settings
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Patch
from shared.vault.vault import Vault
from tests.chaos.histories.clients import Client, operate
from tests.chaos.histories.deliveries import TaskService
from tests.chaos.histories.faults import Faults
from tests.chaos.histories.n8n_model import N8nModel
from tests.chaos.histories.n8n_wire import N8nWire
from tests.chaos.histories.processes import Lost, Process, watch_points
from tests.chaos.histories.receiver import URL, Receiver, ReceiverWire
from tests.chaos.histories.virtual import VirtualLoop, VirtualSources, retries_follow
from tests.integration.world.installations import Installation, install
from tests.integration.world.tenants import create_tenant
from tests.support.stack import ROOT, UNLIMITED
from tests.unit.vault.memory_secrets import MemorySecretStore

PEACE_AFTER = 60.0
"""Seconds after which nothing goes wrong any more."""
ENDS_AFTER = 30 * 3600.0
"""Seconds after which every run must have ended: the platform gives up on n8n after 24 hours."""
_SETTINGS = {
    "GOOGLE_CLOUD_PROJECT": "histories",
    "PUBLIC_BASE_URL": "http://podium",
    "N8N_PRIVATE_HOSTS": "*",
    "EVENT_PRIVATE_HOSTS": "*",
    # Runs that report nothing are looked at soon: those that wait for their room would poll for an hour.
    "RUN_TIMEOUT_SECONDS": "180",
    **UNLIMITED,
}
_TYPES = {"success": "execution.completed", "failed": "execution.failed"}
_SUBSCRIBERS = {"all": ["success", "failed"], "failures": ["failed"]}
"""The ends that each address is told of."""
_CATALOGUE = IndexCatalogue.load(ROOT / "firestore.indexes.json")


@dataclass
class History:
    """What was seen, and what was done to it."""

    seed: int
    events: list[dict[str, Any]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0

    def lines(self) -> str:
        """Return it as JSON lines."""
        return "\n".join(orjson.dumps(event).decode() for event in self.events)


def new_vault() -> Vault:
    """Return a vault with keys; making them takes longer than a history does."""
    vault = Vault(MemorySecretStore())
    asyncio.run(vault.ensure_keys())
    return vault


def play(seed: int, vault: Vault) -> History:
    """Return the history of a seed; the same one every time."""
    loop, history = VirtualLoop(), History(seed)
    before = retries_follow(loop)
    logging.disable(logging.CRITICAL)
    random.seed(seed)
    watch_points()
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        asyncio.set_event_loop(loop)
        # The platform logs every request there.
        with redirect_stdout(io.TextIOWrapper(io.BytesIO())):
            try:
                loop.run_until_complete(_Scene(seed, loop, vault, history, folder).play())
            finally:
                _end(loop)
    finally:
        points.listen(None)
        logging.disable(logging.NOTSET)
        for module, clock in before:
            module.time = clock
        shutil.rmtree(folder)
    return history


def _end(loop: VirtualLoop) -> None:
    for _ in range(20):
        left = asyncio.all_tasks(loop)
        if not left:
            break
        for task in left:
            task.cancel()
        with suppress(AssertionError):
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()


class _Scene:
    def __init__(self, seed: int, loop: VirtualLoop, vault: Vault, history: History, folder: Path) -> None:
        self.loop, self.vault, self.history = loop, vault, history
        self.chance = random.Random(f"program {seed}")
        self.sources = VirtualSources(loop, random.Random(f"ids {seed}"))
        self.faults = Faults(loop, random.Random(f"faults {seed}"), 0.0)
        self.storage = Storage(folder / "store.sqlite")
        engine = Engine(self.storage, Indexer(_CATALOGUE), CommitClock(0, self.sources.micros))
        self.firestore = handlers(Backend(engine, Transactions(engine, loop.time), _CATALOGUE))
        self.tasks = TaskService(loop, self.sources, self.faults, self._deliver)
        self.n8n = N8nModel(loop, self.sources, self.faults, self.ask, self.tell)
        self.receiver = Receiver(self.faults, self.tell)
        self.processes: list[Process] = []

    def tell(self, event: str, **said: Any) -> None:
        self.history.events.append({"at": round(self.loop.elapsed, 4), "event": event, **said})

    def _process(self, faults: Faults) -> Process:
        settings = read_settings(_SETTINGS)
        made = Process(
            settings, self.sources, faults, self.vault, lambda kind: self.tell("killed", where=kind)
        )
        n8n = httpx.AsyncClient(transport=N8nWire(made, self.n8n), trust_env=False)
        receiver = ReceiverWire(made, self.receiver)
        return made.connect(self.firestore, self.tasks, n8n, self.n8n.url, receiver)

    def _living(self) -> Process:
        place = self.faults.chance.randrange(len(self.processes))
        if self.processes[place].dead.done():
            self.processes[place] = self._process(self.faults)
        return self.processes[place]

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        return await self._living().call(method, path, orjson.dumps(body), headers)

    async def _deliver(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            answered, _ = await self._living().call("POST", path, body, headers)
        except Lost:
            return 0
        return answered

    async def play(self) -> None:
        watcher = self._process(Faults(self.loop, random.Random(0), 0.0))
        installed = await self._install(watcher)
        for place, statuses in _SUBSCRIBERS.items():
            await self._subscribe(watcher, installed, place, statuses)
        self.processes = [self._process(self.faults), self._process(self.faults)]
        start = self.loop.elapsed
        self.faults.ends = start + PEACE_AFTER
        clients = [
            Client(f"c{n}", self.chance, self.ask, self.tell, installed, start + PEACE_AFTER)
            for n in range(self.chance.randint(2, 4))
        ]
        doing = [client.act() for client in clients]
        await asyncio.gather(*doing, operate(self.chance, installed, self.tell), self._break_n8n())
        await asyncio.sleep(max(0.0, start + PEACE_AFTER - self.loop.elapsed))
        self.tell("peace")
        await self._until_all_is_done(clients, start + ENDS_AFTER)
        await self._finals(watcher, installed, clients)
        self.history.faults, self.history.deliveries = self.faults.injected, self.tasks.deliveries
        self.storage.close()

    async def _install(self, watcher: Process) -> Installation:
        platform = watcher.platform
        await ensure_queues(platform.queue, platform.settings)
        await register_backend(platform, str(self.n8n.port), self.n8n.url, "key")
        scripted: Any = self.n8n
        tenant = await create_tenant(platform, "Histories", scripted)
        installed = await install(platform, tenant, scripted)
        limit = self.chance.choice((None, None, None, None, 1, 3))
        changes: dict[str, object] = {"cost": 1.5, "max_running": limit}
        await platform.store.commit(Patch(refs.endpoint(installed.id, "main"), changes))
        self.n8n.workflows[installed.webhook] = installed.n8n_workflow_id
        self.n8n.organization_id, self.n8n.webhook_secret = tenant.organization_id, tenant.webhook_secret
        return installed

    async def _subscribe(
        self, watcher: Process, installed: Installation, place: str, statuses: list[str]
    ) -> None:
        types = [_TYPES[status] for status in statuses]
        body = orjson.dumps({"url": URL + place, "types": types})
        headers = {"X-API-Key": installed.tenant.keys["owner"]}
        answered, said = await watcher.call("POST", "/createEventSubscription", body, headers)
        assert answered == 200, said
        self.receiver.secrets[URL + place] = said["data"]["secret"]
        self.tell("subscribed", to=place, statuses=statuses)

    async def _break_n8n(self) -> None:
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            await asyncio.sleep(self.chance.uniform(0, 25))
            self.faults.injected["n8n: restarted"] += 1
            await self.n8n.restart(self.chance.choice((0.1, 5, 30)))

    async def _until_all_is_done(self, clients: list[Client], latest: float) -> None:
        while self.tasks.waiting and self.loop.elapsed < latest:
            await asyncio.sleep(60)
        for client in clients:
            for execution_id in dict.fromkeys(client.seen):
                await client.look(execution_id, 0)

    async def _finals(self, watcher: Process, installed: Installation, clients: list[Client]) -> None:
        store = watcher.platform.store
        organization = installed.tenant.organization_id
        runs = below(refs.instance(installed.id), "executions", Execution)
        for found in await find(store, runs):
            run = found.value
            charged = await store.get(refs.ledger_entry(organization, run.execution_id))
            self.tell(
                "final",
                execution=run.execution_id,
                status=run.status.value,
                result=None if run.result_data is None else orjson.loads(run.result_data),
                error=(run.error_details or {}).get("message"),
                charges=1 if charged else 0,
            )
        account = await store.get(refs.account(organization))
        entries = await find(store, below(refs.organization(organization), "ledger", LedgerEntry))
        self.tell(
            "balance",
            balance=account.value.balance if account else None,
            ledger=sum(entry.value.amount for entry in entries),
            unsettled=sum(not entry.value.settled for entry in entries),
        )

"""Secrets: opening them, giving them a new key, and filling an ensemble with its values."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.api import create_project, deploy
from bench.example import order_desk
from bench.figures import Cell, Section, Target, median, rounded
from bench.session import Session
from shared.model.organization import Member, Role
from shared.placeholders import Values
from shared.services.deployments.bodies import Preparation
from shared.services.deployments.values import values_of
from shared.services.deployments.work import Work, load_work
from shared.services.keys.rotate import rotate, walk
from shared.services.secrets import execution_auth, seal_text
from shared.store import refs
from shared.store.store import Put
from shared.vault.boxed import Sealed
from shared.vault.context import Context
from shared.vault.vault import Vault

SECRETS = 100
_ROUNDS = 5
_WALKS = 3
_COPIES = 6
_LABEL = b"bench"
_HOW = (
    "{secrets} stored secrets opened one after the other by a process that has opened none of them, beside "
    "RSA-OAEP and AES-GCM of the same sizes called directly; the median of {rounds} rounds. The walk of a "
    "rotation through {rows:,} rows in Firestore, reading, sealing anew and writing, beside unwrapping and "
    "wrapping alone in one thread, before and after it; the median of {walks} rounds. The walk seals in one "
    "thread and reads and writes beside it, so it uses part of a second core, as the Firestore server does. "
    "Its processor time is what it takes of one core when Firestore is elsewhere. Resolving, lowering and "
    "guarding an ensemble of 30 workflows: the example, six times."
)


class _Bare:
    """The primitives, with a key of the vault's size."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        self._public = self._private.public_key()
        self._oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), _LABEL)

    def seal(self, plaintext: bytes) -> tuple[bytes, bytes, bytes]:
        """Encrypt with a fresh data key, wrapped."""
        key, iv = os.urandom(32), os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, plaintext, _LABEL)
        return self._public.encrypt(key, self._oaep), iv, sealed

    def open(self, wrapped: bytes, iv: bytes, sealed: bytes) -> bytes:
        """Unwrap the data key and decrypt."""
        return AESGCM(self._private.decrypt(wrapped, self._oaep)).decrypt(iv, sealed, _LABEL)


@dataclass(frozen=True, slots=True)
class _Rate:
    """Rows a second of a walk and of the primitives alone."""

    walk: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.walk / self.bare

    def cells(self) -> tuple[Cell, Cell, Cell]:
        return rounded(self.walk), rounded(self.bare), rounded(self.ratio, 2)


async def measure(session: Session) -> Section:
    """Return what the vault and the placeholders cost beside what they cannot do without."""
    bare = _Bare()
    ours, theirs = await _opening(session, bare)
    rows = session.size.rewrapped_rows
    by_clock, by_processor = await _walking(session, bare, rows)
    resolving = await _resolving(session)
    table: tuple[tuple[Cell, ...], ...] = (
        (f"open {SECRETS} secrets, ms", rounded(ours), rounded(theirs), rounded(ours / theirs, 2)),
        ("give rows a new key, rows a second", *by_clock.cells()),
        ("the same, rows a second of processor time", *by_processor.cells()),
        ("resolve and guard 30 workflows, ms", rounded(resolving), "–", "–"),
    )
    targets = (
        Target(f"opening {SECRETS} secrets, × the primitives", rounded(ours / theirs, 2), 1.3),
        Target("rows given a new key, × unwrap and wrap", rounded(by_clock.ratio, 2), 0.8, at_least=True),
        Target("resolving and guarding 30 workflows, ms", rounded(resolving), 50),
    )
    how = _HOW.format(secrets=SECRETS, rounds=_ROUNDS, rows=rows, walks=_WALKS)
    return Section("vault", "Secrets", how, ("", "platform", "bare", "ratio"), table, targets)


async def _opening(session: Session, bare: _Bare) -> tuple[float, float]:
    vault = session.platform.vault
    places = [Context("bench", "member", str(number), "platform", "secret") for number in range(SECRETS)]
    sealed = [await vault.seal(f"secret number {n}", place) for n, place in enumerate(places)]
    plain = [bare.seal(f"secret number {number}".encode()) for number in range(SECRETS)]
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        fresh = Vault(session.platform.secrets)
        await fresh.seal("loads the key", places[0])
        ours.append(await _timed(partial(_open_all, fresh, sealed, places)))
        began = time.perf_counter()
        for parts in plain:
            bare.open(*parts)
        theirs.append((time.perf_counter() - began) * 1000)
    return median(ours), median(theirs)


async def _open_all(vault: Vault, sealed: list[Sealed], places: list[Context]) -> None:
    for one, place in zip(sealed, places, strict=True):
        await vault.open(one, place)


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def _walking(session: Session, bare: _Bare, rows: int) -> tuple[_Rate, _Rate]:
    """Return the rates by the clock and by this process's processor time, each of its median round."""
    platform = session.platform
    await walk(platform)
    for begin in range(0, rows, 400):
        await platform.store.commit(
            *[await _member(session, number) for number in range(begin, min(rows, begin + 400))]
        )
    rounds: list[tuple[_Rate, _Rate]] = []
    before = _raw_rewraps(bare)
    for _ in range(_WALKS):
        await rotate(platform)
        clock, processor = time.perf_counter(), time.process_time()
        walked = await walk(platform)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        after = _raw_rewraps(bare)
        beside = [(first + second) / 2 for first, second in zip(before, after, strict=True)]
        rounds.append(
            (_Rate(walked.resealed / clock, beside[0]), _Rate(walked.resealed / processor, beside[1]))
        )
        before = after
    by_clock, by_processor = (
        sorted(rates, key=lambda rate: rate.ratio) for rates in zip(*rounds, strict=True)
    )
    return by_clock[_WALKS // 2], by_processor[_WALKS // 2]


async def _member(session: Session, number: int) -> Put[Member]:
    platform, user = session.platform, f"bench-{number:06d}"
    member = Member(
        organization_id="bench",
        user_id=user,
        role=Role.MEMBER,
        created_at=platform.sources.now(),
        execution_auth=await seal_text(platform, f"secret {number}", execution_auth("bench", user)),
        execution_auth_digest="",
    )
    return Put(refs.member("bench", user), member)


def _raw_rewraps(bare: _Bare, count: int = 500) -> tuple[float, float]:
    """Return the rows a second by the clock and by processor time."""
    sealed = [bare.seal(b"secret number 1") for _ in range(count)]
    clock, processor = time.perf_counter(), time.process_time()
    for parts in sealed:
        bare.seal(bare.open(*parts))
    return count / (time.perf_counter() - clock), count / (time.process_time() - processor)


async def _resolving(session: Session) -> float:
    project_id = await create_project(session, "Bench vault")
    data = await deploy(session, project_id, await order_desk())
    deployment_id = str(data["deploymentInstanceId"])
    found = await session.platform.store.get(refs.deployment(deployment_id))
    assert found is not None
    work = await load_work(session.platform, deployment_id, found.value)
    values = await values_of(session.platform, work)
    many = _copied(work, _COPIES)
    return median([await _timed(lambda: _prepare(many, values)) for _ in range(_ROUNDS)])


async def _prepare(work: Work, values: Values) -> None:
    Preparation(work, values).check()


def _copied(work: Work, copies: int) -> Work:
    """Return the work with so many copies of each workflow, each calling the others of its own copy."""
    names = list(work.texts)

    def renamed(text: str, copy: int) -> str:
        for name in names:
            text = text.replace(name, f"{name}-{copy}")
        return text

    texts = {f"{name}-{n}": renamed(text, n) for n in range(copies) for name, text in work.texts.items()}
    workflows = [
        workflow.model_copy(update={"workflow_template_id": f"{workflow.workflow_template_id}-{n}"})
        for n in range(copies)
        for workflow in work.configuration.workflows
    ]
    configuration = work.configuration.model_copy(update={"workflows": workflows})
    return Work(
        deployment_id=work.deployment_id,
        deployment=work.deployment,
        instance=work.instance,
        tenant=work.tenant,
        configuration=configuration,
        texts=texts,
        publisher_id=work.publisher_id,
        replaces=None,
    )

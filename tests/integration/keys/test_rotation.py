"""A new storage key while everything runs: nothing fails to open, nothing stays behind (design, vault)."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.errors import Conflict
from shared.model.integrations import ContextType, Holder, Integration
from shared.model.signing import SecretKind, WebhookSecret, WebhookSecrets
from shared.services.keys.rotate import retire, rotate, walk
from shared.services.secrets import (
    PLATFORM,
    execution_auth,
    integration_secret,
    open_text,
    seal_text,
    signing_secret,
)
from shared.store import refs
from shared.store.store import Patch, Put
from shared.vault.boxed import Sealed
from shared.vault.errors import CannotOpen
from tests.integration.keys.site import ORGANIZATION, Site, site
from tests.integration.world.servers import Servers, serving

ROWS, KILLS = {"small": (600, 3), "large": (10_000, 20)}[os.environ.get("CHAOS_SIZE", "small")]


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with serving(tmp_path_factory.mktemp("rotation")) as running:
        yield running


@pytest.fixture
async def at(servers: Servers) -> AsyncIterator[Site]:
    async with site(servers, f"project-{uuid4().hex[:8]}") as running:
        yield running


async def sealed_of(at: Site, number: int) -> str:
    found = await at.platform.store.get(refs.member(ORGANIZATION, f"user-{number:05d}"))
    assert found is not None
    return str(found.value.execution_auth)


async def test_after_a_walk_every_secret_is_on_the_new_key_and_opens(at: Site) -> None:
    await at.fill(450)
    await rotate(at.platform)

    before = await at.opened(7)
    walked = await walk(at.platform)

    assert before == ("secret 7", 1)
    assert (walked.resealed, walked.unreadable) == (450, 0)
    assert [await at.opened(number) for number in (0, 199, 200, 449)] == [
        (f"secret {number}", 2) for number in (0, 199, 200, 449)
    ]


async def test_a_second_walk_finds_nothing_to_do(at: Site) -> None:
    await at.fill(10)
    await rotate(at.platform)
    await walk(at.platform)

    assert (await walk(at.platform)).resealed == 0


async def test_a_secret_that_does_not_open_is_counted_and_stops_nobody(at: Site) -> None:
    await at.fill(5)
    stolen = await sealed_of(at, 1)
    await at.platform.store.commit(Patch(refs.member(ORGANIZATION, "user-00002"), {"execution_auth": stolen}))
    await rotate(at.platform)

    walked = await walk(at.platform)

    assert (walked.resealed, walked.unreadable) == (4, 1)
    assert await sealed_of(at, 2) == stolen


@pytest.mark.parametrize(
    "holder",
    [
        Holder(ContextType.ORGANIZATION, ORGANIZATION, ORGANIZATION),
        Holder(ContextType.MEMBER, ORGANIZATION, "user-00001"),
        Holder(ContextType.PROCESS_INSTANCE, ORGANIZATION, "instance"),
        Holder(ContextType.PLATFORM, PLATFORM, "backend"),
    ],
    ids=lambda holder: holder.context_type.value,
)
async def test_all_secrets_of_an_integration_get_the_new_key(at: Site, holder: Holder) -> None:
    contexts = {name: integration_secret(holder, "twilio", name) for name in ("SID", "TOKEN")}
    connected = Integration(
        organization_id=holder.organization_id,
        integration_id="twilio",
        context_type=holder.context_type,
        holder=holder.label,
        backend_id="backend",
        secrets={name: await seal_text(at.platform, f"my {name}", place) for name, place in contexts.items()},
        connected_at=at.platform.sources.now(),
        connected_by="user-00001",
    )
    await at.platform.store.commit(Put(refs.integration(holder, "twilio"), connected))
    await rotate(at.platform)

    await walk(at.platform)

    found = await at.platform.store.get(refs.integration(holder, "twilio"))
    assert found is not None
    sealed = found.value.secrets
    assert {text.split(".")[2] for text in sealed.values()} == {"2"}
    for name, context in contexts.items():
        assert await open_text(at.platform, sealed[name], context) == f"my {name}"


async def test_all_webhook_secrets_of_a_workflow_get_the_new_key(at: Site) -> None:
    now, names = at.platform.sources.now(), ("a", "b")
    contexts = {name: signing_secret(ORGANIZATION, "instance", "main", name) for name in names}
    secrets = [
        WebhookSecret(
            secret_id=name,
            kind=SecretKind.GITHUB,
            label=f"label {name}",
            sealed=await seal_text(at.platform, f"my {name}", context),
            created_by="user-00001",
            created_at=now,
        )
        for name, context in contexts.items()
    ]
    kept = WebhookSecrets(
        organization_id=ORGANIZATION, process_instance_id="instance", workflow_id="main", secrets=secrets
    )
    reference = refs.webhook_secrets("instance", "main")
    await at.platform.store.commit(Put(reference, kept))
    await rotate(at.platform)

    walked = await walk(at.platform)

    found = await at.platform.store.get(reference)
    assert found is not None
    anew = found.value
    assert walked.resealed == 1
    assert [secret.sealed.split(".")[2] for secret in anew.secrets] == ["2", "2"]
    # Nothing but the seals is another.
    assert [s.model_copy(update={"sealed": ""}) for s in anew.secrets] == [
        s.model_copy(update={"sealed": ""}) for s in secrets
    ]
    for secret in anew.secrets:
        opened = await open_text(at.platform, secret.sealed, contexts[secret.secret_id])
        assert opened == f"my {secret.secret_id}"


async def test_what_is_written_during_a_walk_stays(at: Site) -> None:
    await at.fill(400)
    await rotate(at.platform)
    walking = asyncio.create_task(walk(at.platform))
    while not walking.done():
        number = random.randrange(400)
        await at.platform.store.commit(await at.member(number, plaintext=f"newer {number}"))
        await asyncio.sleep(0)
    await walking

    opened = [await at.opened(number) for number in range(400)]

    assert {version for _, version in opened} == {2}
    assert all(text in (f"secret {n}", f"newer {n}") for n, (text, _) in enumerate(opened))
    assert any(text.startswith("newer") for text, _ in opened)


async def test_a_retired_key_opens_nothing_and_the_new_one_everything(at: Site) -> None:
    await at.fill(3)
    old = await sealed_of(at, 0)
    await rotate(at.platform)
    await asyncio.sleep(0.6)
    await walk(at.platform)

    assert await retire(at.platform) == [1]

    assert await at.opened(0) == ("secret 0", 2)
    with pytest.raises(CannotOpen):
        await at.platform.vault.open(Sealed(old), execution_auth(ORGANIZATION, "user-00000"))


async def test_a_key_is_not_retired_before_everybody_knows_the_new_one(servers: Servers) -> None:
    async with site(servers, f"project-{uuid4().hex[:8]}", VAULT_KEY_AGE_SECONDS="60") as at:
        await at.fill(3)
        with pytest.raises(Conflict, match="Walk through them first"):
            await retire(at.platform)
        await rotate(at.platform)
        await walk(at.platform)

        with pytest.raises(Conflict, match="again after that"):
            await retire(at.platform)

        assert await at.opened(0) == ("secret 0", 2)


async def test_walks_killed_in_their_middle_under_load_leave_nothing_behind(at: Site) -> None:
    await at.fill(ROWS)
    first = await at.operate("rotate")
    assert await first.wait() == 0
    failures: list[str] = []
    stop = asyncio.Event()
    load = asyncio.create_task(_open_and_write(at, failures, stop))

    killed = 0
    for _ in range(KILLS):
        walking = await at.operate("rewrap")
        # Long enough to have begun on this machine, whatever it is: then at any point of its work.
        await asyncio.sleep(0.8 + random.random() * 1.5)
        if walking.returncode is None:
            walking.kill()
            killed += 1
        await walking.communicate()
    last = await at.operate("rewrap")
    await last.communicate()
    again = await at.operate("rewrap")
    _, err = await again.communicate()
    stop.set()
    opened_under_load = await load

    assert again.returncode == 0, err.decode()
    assert failures == []
    assert opened_under_load > 50
    versions = Counter([(await at.opened(number))[1] for number in range(ROWS)])
    print(f"{killed} walks killed, {opened_under_load} opened meanwhile, {len(failures)} failed, {versions}")
    assert versions == {2: ROWS}


async def _open_and_write(at: Site, failures: list[str], stop: asyncio.Event) -> int:
    opened = 0
    while not stop.is_set():
        number = random.randrange(ROWS)
        try:
            text, _ = await at.opened(number)
            if text not in (f"secret {number}", f"newer {number}"):
                failures.append(text)
            if opened % 10 == 0:
                await at.platform.store.commit(await at.member(number, plaintext=f"newer {number}"))
        except CannotOpen:
            failures.append(f"{number} did not open")
        opened += 1
        await asyncio.sleep(0.002)
    return opened

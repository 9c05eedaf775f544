"""What every secret store does: ours for tests, and the adapter against a Secret Manager server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from infra.local.tasks.server import serve
from shared.vault.boxed import Capability, Secret
from shared.vault.context import Context
from shared.vault.errors import SecretMissing, SecretsUnavailable
from shared.vault.secrets import GoogleSecretStore, SecretStore, VersionState
from shared.vault.vault import Vault
from tests.unit.vault.memory_secrets import MemorySecretStore

MAY_COMPARE = Capability("compare in a test")


@pytest.fixture(scope="session")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    server = await serve(tmp_path_factory.mktemp("secret-manager"))
    yield server.address
    await server.close()


@pytest.fixture(params=["memory", "secret manager"])
async def store(request: pytest.FixtureRequest, address: str) -> AsyncIterator[SecretStore]:
    if request.param == "memory":
        yield MemorySecretStore()
        return
    google = GoogleSecretStore(f"project-{uuid4().hex[:8]}", address)
    yield google
    await google.aclose()


async def content(store: SecretStore, version: int | None = None) -> bytes:
    return (await store.access("key", version)).value.reveal_bytes(MAY_COMPARE)


async def test_versions_count_from_one_and_keep_their_bytes(store: SecretStore) -> None:
    assert await store.add("key", Secret(b"\x00one\xff")) == 1
    assert await store.add("key", Secret("two")) == 2
    assert await content(store, 1) == b"\x00one\xff"
    assert await content(store) == b"two"
    assert (await store.access("key")).version == 2


async def test_secrets_are_apart_from_each_other(store: SecretStore) -> None:
    await store.add("key", Secret("one"))
    assert await store.add("other", Secret("two")) == 1
    assert await content(store) == b"one"


async def test_two_that_add_to_a_new_secret_at_once_both_succeed(store: SecretStore) -> None:
    numbers = await asyncio.gather(store.add("key", Secret("one")), store.add("key", Secret("two")))
    assert sorted(numbers) == [1, 2]


async def test_an_unknown_secret_has_no_versions(store: SecretStore) -> None:
    assert await store.versions("key") == []
    with pytest.raises(SecretMissing) as refusal:
        await store.access("key")
    assert refusal.value.__context__ is None  # a client's error would bring its request along


@pytest.mark.parametrize("version", [2, 999_999_999])
async def test_an_unknown_version_is_missing(store: SecretStore, version: int) -> None:
    await store.add("key", Secret("one"))
    with pytest.raises(SecretMissing):
        await store.access("key", version)
    with pytest.raises(SecretMissing):
        await store.disable("key", version)
    with pytest.raises(SecretMissing):
        await store.destroy("key", version)


async def test_a_disabled_version_is_missing_and_still_listed(store: SecretStore) -> None:
    for value in ("one", "two"):
        await store.add("key", Secret(value))
    await store.disable("key", 2)
    assert await store.versions("key") == [VersionState(2, False), VersionState(1, True)]
    with pytest.raises(SecretMissing):
        await store.access("key", 2)
    assert await content(store, 1) == b"one"


async def test_latest_is_the_version_added_last_even_when_disabled(store: SecretStore) -> None:
    for value in ("one", "two"):
        await store.add("key", Secret(value))
    await store.disable("key", 2)
    with pytest.raises(SecretMissing):
        await store.access("key")


async def test_a_destroyed_version_is_gone_for_good_and_its_number_is_not_reused(store: SecretStore) -> None:
    await store.add("key", Secret("one"))
    await store.destroy("key", 1)
    with pytest.raises(SecretMissing):
        await store.access("key", 1)
    with pytest.raises(SecretMissing):
        await store.disable("key", 1)
    with pytest.raises(SecretMissing):
        await store.destroy("key", 1)
    assert await store.add("key", Secret("two")) == 2
    assert await store.versions("key") == [VersionState(2, True), VersionState(1, False)]


async def test_many_versions_are_listed_newest_first(store: SecretStore) -> None:
    for number in range(12):
        await store.add("key", Secret(str(number)))
    assert [state.version for state in await store.versions("key")] == list(range(12, 0, -1))


async def test_a_value_of_sixty_four_kibibytes_is_kept(store: SecretStore) -> None:
    await store.add("key", Secret(b"x" * 65536))
    assert len(await content(store)) == 65536


async def test_the_vault_works_from_empty_to_rotated(store: SecretStore) -> None:
    place = Context("org_1", "member", "usr_1", "openai", "OPENAI_API_KEY")
    vault = Vault(store)
    await vault.ensure_keys()
    await vault.ensure_keys()
    old, tag = await vault.seal("value", place), await vault.mac("run", b"message")
    await vault.rotate_storage_key()
    await vault.rotate_mac_key()
    restarted = Vault(store)
    assert (await restarted.open(old, place)).reveal(MAY_COMPARE) == "value"
    assert await restarted.verify_mac("run", b"message", tag)
    assert [state.version for state in await store.versions("podium-storage-key")] == [2, 1]


async def test_a_server_that_is_not_there_is_unavailable_within_seconds() -> None:
    store = GoogleSecretStore("project", "127.0.0.1:1")
    with pytest.raises(SecretsUnavailable) as refusal:
        await store.add("key", Secret("canary"))
    assert refusal.value.__context__ is None
    assert "canary" not in refusal.value.message
    await store.aclose()

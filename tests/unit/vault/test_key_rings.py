from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.vault.boxed import Capability, Sealed, Secret
from shared.vault.context import Context
from shared.vault.errors import CannotOpen, DecryptionFailed, SecretMissing, SecretsUnavailable
from shared.vault.vault import MAC_SECRET, STORAGE_SECRET, TRANSPORT_SECRET, Vault
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client
from tests.unit.vault.memory_secrets import MemorySecretStore

PLACE = Context("org_1", "member", "usr_1", "openai", "OPENAI_API_KEY")
ELSEWHERE = Context("org_1", "member", "usr_2", "openai", "OPENAI_API_KEY")
HOUR = timedelta(hours=1)


class Hours:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, hours: float) -> None:
        self.seconds += hours * 3600


async def test_each_key_version_is_accessed_once_however_many_ask(secrets: MemorySecretStore) -> None:
    vault = Vault(secrets)
    sealed = await asyncio.gather(*[vault.seal(str(n), PLACE) for n in range(20)])
    await asyncio.gather(*[vault.open(one, PLACE) for one in sealed])
    await asyncio.gather(*[vault.mac("test", b"message") for _ in range(20)])
    await asyncio.gather(*[vault.public_key_pem() for _ in range(20)])
    assert set(secrets.accesses.values()) == {1}
    assert len(secrets.accesses) == 3
    assert secrets.listings == 0


async def test_what_was_sealed_before_a_rotation_opens_after_it(
    vault: Vault, secrets: MemorySecretStore, may_reveal: Capability
) -> None:
    old = await vault.seal("old", PLACE)
    assert await vault.rotate_storage_key() == 2
    new = await vault.seal("new", PLACE)
    assert (repr(old), repr(new)) == ("Sealed(v1.storage.1)", "Sealed(v1.storage.2)")
    for process in (vault, Vault(secrets)):
        assert (await process.open(old, PLACE)).reveal(may_reveal) == "old"
        assert (await process.open(new, PLACE)).reveal(may_reveal) == "new"
    assert secrets.accesses[STORAGE_SECRET, 1] == 2  # one for each process


async def test_a_process_that_missed_a_rotation_opens_what_another_sealed(
    vault: Vault, secrets: MemorySecretStore, may_reveal: Capability
) -> None:
    await vault.public_key_pem()
    await vault.open(await vault.seal("old", PLACE), PLACE)
    other = Vault(secrets)
    await other.rotate_storage_key()
    await other.rotate_transport_key()
    sealed = await other.seal("new", PLACE)
    envelope = encrypt_like_a_client(await other.public_key_pem(), b"new")
    assert (await vault.open(sealed, PLACE)).reveal(may_reveal) == "new"
    assert (await vault.open_transport(as_sent(envelope))).reveal(may_reveal) == "new"


async def test_an_envelope_for_an_older_transport_key_opens(vault: Vault, may_reveal: Capability) -> None:
    envelope = encrypt_like_a_client(await vault.public_key_pem(), b"late")
    before = await vault.public_key_pem()
    await vault.rotate_transport_key()
    assert await vault.public_key_pem() != before
    assert (await vault.open_transport(as_sent(envelope))).reveal(may_reveal) == "late"


async def test_garbage_does_not_reach_secret_manager_again_and_again(secrets: MemorySecretStore) -> None:
    hours = Hours()
    vault = Vault(secrets, max_age=HOUR, clock=hours)
    for _ in range(50):
        with pytest.raises(DecryptionFailed):
            await vault.open_transport(
                as_sent({"encryptedKey": "AAAA", "iv": "AAAA", "encryptedData": "AAAA"})
            )
        with pytest.raises(CannotOpen):
            await vault.open(Sealed("v1.storage.77.AAAA.AAAA.AAAA"), PLACE)
        assert not await vault.verify_mac("test", b"message", b"forged")
    assert secrets.accesses.total() == 6  # the first load of each ring, and one second look


async def test_resealing_brings_a_secret_under_the_new_key_once(vault: Vault, may_reveal: Capability) -> None:
    old = await vault.seal("value", PLACE)
    assert await vault.reseal([(old, PLACE)]) == [None]
    await vault.rotate_storage_key()
    (new,) = await vault.reseal([(old, PLACE)])
    assert isinstance(new, Sealed)
    assert repr(new) == "Sealed(v1.storage.2)"
    assert (await vault.open(new, PLACE)).reveal(may_reveal) == "value"
    assert await vault.reseal([(new, PLACE)]) == [None]


async def test_resealing_many_keeps_their_order_and_refuses_only_what_does_not_open(
    vault: Vault, may_reveal: Capability
) -> None:
    old = [(await vault.seal(f"value {n}", place), place) for n, place in enumerate((PLACE, ELSEWHERE))]
    moved = (old[0][0], ELSEWHERE)
    malformed = (Sealed("v1.storage.1.AAAA.AAAA.AAAA"), PLACE)
    foreign = (Sealed(old[0][0].text.replace(".storage.", ".transport.")), PLACE)
    unknown = (Sealed(old[0][0].text.replace(".1.", ".77.", 1)), PLACE)
    await vault.rotate_storage_key()
    current = (await vault.seal("value 2", PLACE), PLACE)

    first, *refused, untouched, last = await vault.reseal(
        [old[0], moved, malformed, foreign, unknown, current, old[1]]
    )

    assert isinstance(first, Sealed)
    assert isinstance(last, Sealed)
    assert (await vault.open(first, PLACE)).reveal(may_reveal) == "value 0"
    assert (await vault.open(last, ELSEWHERE)).reveal(may_reveal) == "value 1"
    assert [type(one) for one in refused] == [CannotOpen] * 4
    assert untouched is None


async def test_resealing_opens_nothing_of_a_retired_version(vault: Vault) -> None:
    old = await vault.seal("value", PLACE)
    await vault.rotate_storage_key()
    await vault.open(old, PLACE)
    await vault.retire_storage_keys()

    (refused,) = await vault.reseal([(old, PLACE)])

    assert isinstance(refused, CannotOpen)


async def test_a_retired_version_opens_nothing_even_when_cached(
    secrets: MemorySecretStore, may_reveal: Capability
) -> None:
    hours = Hours()
    vault = Vault(secrets, max_age=HOUR, clock=hours)
    old = await vault.seal("old", PLACE)
    await vault.rotate_storage_key()
    assert (await vault.open(old, PLACE)).reveal(may_reveal) == "old"
    await secrets.destroy(STORAGE_SECRET, 1)
    hours.pass_by(2)
    with pytest.raises(CannotOpen):
        await vault.open(old, PLACE)


async def test_a_new_version_is_picked_up_without_a_restart(secrets: MemorySecretStore) -> None:
    hours = Hours()
    vault = Vault(secrets, max_age=HOUR, clock=hours)
    await vault.seal("value", PLACE)
    await Vault(secrets).rotate_storage_key()
    assert repr(await vault.seal("value", PLACE)) == "Sealed(v1.storage.1)"
    hours.pass_by(2)
    assert repr(await vault.seal("value", PLACE)) == "Sealed(v1.storage.2)"


async def test_disabling_the_newest_version_goes_back_to_the_one_before(
    vault: Vault, secrets: MemorySecretStore, may_reveal: Capability
) -> None:
    old = await vault.seal("old", PLACE)
    await vault.rotate_storage_key()
    bad = await vault.seal("bad", PLACE)
    await secrets.disable(STORAGE_SECRET, 2)
    restarted = Vault(secrets)
    assert repr(await restarted.seal("value", PLACE)) == "Sealed(v1.storage.1)"
    assert (await restarted.open(old, PLACE)).reveal(may_reveal) == "old"
    with pytest.raises(CannotOpen):
        await restarted.open(bad, PLACE)


async def test_an_outage_of_secret_manager_does_not_stop_a_running_process(
    secrets: MemorySecretStore, may_reveal: Capability
) -> None:
    hours = Hours()
    vault = Vault(secrets, max_age=HOUR, clock=hours)
    sealed = await vault.seal("value", PLACE)
    secrets.down = True
    hours.pass_by(2)
    assert (await vault.open(sealed, PLACE)).reveal(may_reveal) == "value"
    assert (await vault.open(await vault.seal("more", PLACE), PLACE)).reveal(may_reveal) == "more"


async def test_a_process_that_starts_during_an_outage_recovers_by_itself(secrets: MemorySecretStore) -> None:
    vault = Vault(secrets)
    secrets.down = True
    with pytest.raises(SecretsUnavailable):
        await vault.seal("value", PLACE)
    secrets.down = False
    assert repr(await vault.seal("value", PLACE)) == "Sealed(v1.storage.1)"


async def test_a_version_that_is_no_key_does_not_replace_the_good_one(secrets: MemorySecretStore) -> None:
    hours = Hours()
    vault = Vault(secrets, max_age=HOUR, clock=hours)
    await vault.seal("value", PLACE)
    await secrets.add(STORAGE_SECRET, Secret("pasted by mistake"))
    hours.pass_by(2)
    assert repr(await vault.seal("value", PLACE)) == "Sealed(v1.storage.1)"
    with pytest.raises(SecretsUnavailable, match="podium-storage-key, version 2") as refusal:
        await Vault(secrets).seal("value", PLACE)
    assert "mistake" not in refusal.value.message


async def test_without_keys_the_error_says_what_is_missing() -> None:
    with pytest.raises(SecretMissing, match=STORAGE_SECRET):
        await Vault(MemorySecretStore()).seal("value", PLACE)


async def test_the_first_keys_are_created_once(may_reveal: Capability) -> None:
    secrets = MemorySecretStore()
    await Vault(secrets).ensure_keys()
    await Vault(secrets).ensure_keys()
    assert {name: len(versions) for name, versions in secrets.values.items()} == {
        STORAGE_SECRET: 1,
        TRANSPORT_SECRET: 1,
        MAC_SECRET: 1,
    }
    sealed = await Vault(secrets).seal("value", PLACE)
    assert (await Vault(secrets).open(sealed, PLACE)).reveal(may_reveal) == "value"


async def test_processes_that_race_to_create_the_first_keys_understand_each_other(
    may_reveal: Capability,
) -> None:
    secrets = MemorySecretStore()
    one, other = Vault(secrets), Vault(secrets)
    await asyncio.gather(one.ensure_keys(), other.ensure_keys())
    assert len(secrets.values[STORAGE_SECRET]) == 2  # so there was a race
    for sender, receiver in ((one, other), (other, one)):
        sealed = await sender.seal("value", PLACE)
        assert (await receiver.open(sealed, PLACE)).reveal(may_reveal) == "value"
        assert await receiver.verify_mac("test", b"message", await sender.mac("test", b"message"))
        envelope = encrypt_like_a_client(await sender.public_key_pem(), b"sent")
        assert (await receiver.open_transport(as_sent(envelope))).reveal(may_reveal) == "sent"

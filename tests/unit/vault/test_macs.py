from __future__ import annotations

import hashlib
import hmac
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vault.boxed import Secret
from shared.vault.errors import SecretsUnavailable
from shared.vault.mac import MacKey
from shared.vault.vault import MAC_SECRET, Vault
from tests.unit.vault.memory_secrets import MemorySecretStore

ROOT = bytes(range(32))


def hkdf_then_hmac(purpose: bytes, message: bytes) -> bytes:
    """RFC 5869 and RFC 2104 by hand."""
    extracted = hmac.new(bytes(32), ROOT, hashlib.sha256).digest()
    key = hmac.new(extracted, b"podium mac v1 " + purpose + b"\x01", hashlib.sha256).digest()
    return hmac.new(key, message, hashlib.sha256).digest()


def test_a_tag_is_an_hmac_under_a_key_derived_for_its_purpose() -> None:
    assert MacKey("run", [Secret(ROOT)]).sign(b"message") == hkdf_then_hmac(b"run", b"message")


@given(message=st.binary(), other=st.binary())
def test_a_tag_belongs_to_one_message(message: bytes, other: bytes) -> None:
    key = MacKey("run", [Secret(ROOT)])
    assert key.verify(other, key.sign(message)) == (message == other)


@given(at=st.integers(0, 31), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_tag_is_noticed(at: int, bit: int) -> None:
    key = MacKey("run", [Secret(ROOT)])
    tag = bytearray(key.sign(b"message"))
    tag[at] ^= 1 << bit
    assert not key.verify(b"message", bytes(tag))


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33])
def test_a_tag_of_another_length_is_refused(length: int) -> None:
    key = MacKey("run", [Secret(ROOT)])
    assert not key.verify(b"message", (key.sign(b"message") + b"x")[:length])


async def test_a_tag_of_one_purpose_is_worth_nothing_for_another(vault: Vault) -> None:
    tag = await vault.mac("run", b"message")
    assert await vault.verify_mac("run", b"message", tag)
    assert not await vault.verify_mac("cursor", b"message", tag)


async def test_a_tag_from_before_a_rotation_verifies_and_new_ones_differ(
    vault: Vault, secrets: MemorySecretStore
) -> None:
    tag = await vault.mac("run", b"message")
    await vault.rotate_mac_key()
    assert await vault.mac("run", b"message") != tag
    for process in (vault, Vault(secrets)):
        assert await process.verify_mac("run", b"message", tag)


async def test_a_tag_from_a_process_that_rotated_first_verifies(
    vault: Vault, secrets: MemorySecretStore
) -> None:
    await vault.mac("run", b"message")
    other = Vault(secrets)
    await other.rotate_mac_key()
    assert await vault.verify_mac("run", b"message", await other.mac("run", b"message"))


async def test_a_retired_key_verifies_nothing(secrets: MemorySecretStore) -> None:
    vault = Vault(secrets)
    tag = await vault.mac("run", b"message")
    await vault.rotate_mac_key()
    await secrets.disable(MAC_SECRET, 1)
    assert not await Vault(secrets).verify_mac("run", b"message", tag)


async def test_a_root_of_another_length_is_no_key() -> None:
    secrets = MemorySecretStore({MAC_SECRET: [Secret(b"short")]})
    with pytest.raises(SecretsUnavailable, match=MAC_SECRET):
        await Vault(secrets).mac("run", b"message")


async def test_signing_with_a_loaded_key_takes_less_than_thirty_microseconds(vault: Vault) -> None:
    key = await vault.mac_key("run")
    message = b"m" * 100
    # The best of many short runs, since other processes share this machine.
    best = min(timeit.repeat(lambda: key.verify(message, key.sign(message)), number=50, repeat=40)) / 50
    assert best < 2 * 30e-6

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.errors import Internal
from shared.vault.boxed import Capability, Sealed, Secret
from shared.vault.context import Context
from shared.vault.datakey import Cipher
from shared.vault.errors import CannotOpen
from shared.vault.rsakey import RsaKey
from shared.vault.sealing import binding, take_apart
from shared.vault.vault import Vault
from tests.unit.vault.memory_secrets import MemorySecretStore

PLACE = Context("org_1", "member", "usr_1", "openai", "OPENAI_API_KEY")
FIELDS = ("organization_id", "scope", "owner", "name", "field")
contexts = st.builds(Context, *[st.text(max_size=12)] * 5)


@given(plaintext=st.one_of(st.text(), st.binary()), place=contexts)
@settings(max_examples=50, deadline=None)
async def test_what_was_sealed_opens_in_its_context(
    lasting_vault: Vault, may_reveal: Capability, plaintext: str | bytes, place: Context
) -> None:
    opened = await lasting_vault.open(await lasting_vault.seal(plaintext, place), place)
    expected = plaintext.encode() if isinstance(plaintext, str) else plaintext
    assert opened.reveal_bytes(may_reveal) == expected


async def test_a_boxed_secret_is_sealed_without_leaving_its_box(vault: Vault, may_reveal: Capability) -> None:
    sealed = await vault.seal(Secret("sk-live"), PLACE)
    assert (await vault.open(sealed, PLACE)).reveal(may_reveal) == "sk-live"


@given(place=contexts, other=contexts)
@settings(max_examples=50, deadline=None)
async def test_a_secret_never_opens_in_another_context(
    lasting_vault: Vault, place: Context, other: Context
) -> None:
    if place == other:
        other = replace(other, field=other.field + "x")
    sealed = await lasting_vault.seal("value", place)
    with pytest.raises(CannotOpen):
        await lasting_vault.open(sealed, other)


@pytest.mark.parametrize("field", FIELDS)
async def test_no_single_field_of_the_context_may_differ(vault: Vault, field: str) -> None:
    sealed = await vault.seal("value", PLACE)
    await vault.open(sealed, PLACE)  # also with the data key cached
    with pytest.raises(CannotOpen):
        await vault.open(sealed, replace(PLACE, **{field: "other"}))


@given(data=st.data())
@settings(max_examples=300, deadline=None)
async def test_any_flipped_bit_of_the_stored_text_is_refused(
    lasting_vault: Vault, data: st.DataObject
) -> None:
    text = (await lasting_vault.seal("v", PLACE)).text
    at = data.draw(st.integers(0, len(text) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :]
    with pytest.raises(CannotOpen):
        await lasting_vault.open(Sealed(altered), PLACE)


async def test_wrapped_key_and_payload_are_each_bound_to_the_place(
    vault: Vault, pems: tuple[Secret, Secret]
) -> None:
    parts = take_apart(await vault.seal("value", PLACE))
    key = RsaKey.from_pem(pems[0])
    own = binding("storage", 1, PLACE)
    cipher = Cipher.of(key.unwrap(parts.wrapped, own))
    assert cipher is not None
    assert cipher.decrypt(parts.iv, parts.ciphertext, own) is not None
    others = [
        binding("transport", 1, PLACE),
        binding("storage", 2, PLACE),
        *[binding("storage", 1, replace(PLACE, **{field: "other"})) for field in FIELDS],
        b"",
    ]
    for other in others:
        assert key.unwrap(parts.wrapped, other) is None
        assert cipher.decrypt(parts.iv, parts.ciphertext, other) is None


@pytest.mark.parametrize("part", [3, 4, 5])
async def test_no_part_may_come_from_another_ciphertext_of_the_same_place(vault: Vault, part: int) -> None:
    first = (await vault.seal("one", PLACE)).text.split(".")
    second = (await vault.seal("two", PLACE)).text.split(".")
    first[part] = second[part]
    with pytest.raises(CannotOpen):
        await vault.open(Sealed(".".join(first)), PLACE)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "plain text that was never sealed",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text + ".",
        lambda text: text[:-1],
        lambda text: text.rstrip("="),
        lambda text: text.replace("v1.", "v2.", 1),
        lambda text: text.replace(".storage.", ".transport.", 1),
        lambda text: text.replace(".1.", ".01.", 1),
        lambda text: text.replace(".1.", ".0.", 1),
        lambda text: text.replace(".1.", ".2.", 1),
        lambda text: text.replace(".1.", ".999999999.", 1),
        lambda text: text.replace(".1.", ".1" + "0" * 5000 + ".", 1),
        lambda text: text.replace(".1.", ".\u0661.", 1),
        lambda text: ".".join([*text.split(".")[:5], b64encode(b"short").decode()]),
        lambda text: ".".join([*text.split(".")[:3], b64encode(b"x" * 384).decode(), *text.split(".")[4:]]),
        lambda text: ".".join([*text.split(".")[:4], b64encode(b"x" * 8).decode(), text.split(".")[5]]),
    ],
)
async def test_malformed_ciphertexts_are_refused_with_the_same_error(
    vault: Vault, change: Callable[[str], str]
) -> None:
    sealed = await vault.seal("some value", PLACE)
    with pytest.raises(CannotOpen) as refusal:
        await vault.open(Sealed(change(sealed.text)), PLACE)
    assert refusal.value.message == CannotOpen().message


def test_not_opening_is_an_internal_error() -> None:
    assert issubclass(CannotOpen, Internal)
    assert CannotOpen.status == 500


async def test_sealing_twice_gives_two_different_ciphertexts(vault: Vault) -> None:
    assert await vault.seal("same", PLACE) != await vault.seal("same", PLACE)


async def test_without_its_key_a_secret_stays_closed(vault: Vault, pems: tuple[Secret, Secret]) -> None:
    sealed = await vault.seal("value", PLACE)
    other = Vault(MemorySecretStore({"podium-storage-key": [pems[1]]}))
    with pytest.raises(CannotOpen):
        await other.open(sealed, PLACE)


@pytest.mark.parametrize("cached_data_keys", [0, 1, 1024])
async def test_the_cache_of_data_keys_changes_no_outcome(
    secrets: MemorySecretStore, may_reveal: Capability, cached_data_keys: int
) -> None:
    vault = Vault(secrets, cached_data_keys=cached_data_keys)
    sealed = [await vault.seal(str(n), PLACE) for n in range(3)]
    for _ in range(2):
        opened = [(await vault.open(one, PLACE)).reveal(may_reveal) for one in sealed]
        assert opened == ["0", "1", "2"]


class Stored(BaseModel):
    secret: Sealed


async def test_a_sealed_value_is_a_string_in_a_document(vault: Vault) -> None:
    sealed = await vault.seal("value", PLACE)
    stored = Stored(secret=sealed)
    assert stored.model_dump() == {"secret": sealed.text}
    assert Stored.model_validate(stored.model_dump()) == stored
    assert Stored.model_validate_json(stored.model_dump_json()) == stored
    assert Stored.model_json_schema()["properties"]["secret"]["type"] == "string"


def test_only_a_string_becomes_a_sealed_value() -> None:
    with pytest.raises(ValidationError):
        Stored.model_validate({"secret": 7})


async def test_a_sealed_value_shows_ring_and_version_only(vault: Vault) -> None:
    sealed = await vault.seal("value", PLACE)
    shown = "Sealed(v1.storage.1)"
    assert [repr(sealed), str(sealed), f"{sealed}", f"{sealed!r}"] == [shown] * 4
    assert repr(Stored(secret=sealed)) == f"Stored(secret={shown})"


def test_text_that_was_never_sealed_is_not_shown_either() -> None:
    assert "sk-live" not in repr(Sealed("sk-live-1234"))
    assert "sk-live" not in repr(Sealed("v1.storage.1sk-live"))

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.vault.boxed import Capability, Sealed, Secret
from shared.vault.context import Context
from shared.vault.errors import CannotOpen, DecryptionFailed, SecretsUnavailable
from shared.vault.vault import TRANSPORT_SECRET, Vault
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client
from tests.unit.vault.memory_secrets import MemorySecretStore

PLACE = Context("org_1", "organization", "org_1", "openai", "OPENAI_API_KEY")


async def test_the_public_key_is_an_rsa_key_in_spki_pem(vault: Vault) -> None:
    pem = await vault.public_key_pem()
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    public = load_pem_public_key(pem)
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 3072


@given(text=st.text())
@settings(max_examples=50, deadline=None)
async def test_what_a_client_encrypts_arrives(
    lasting_vault: Vault, may_reveal: Capability, text: str
) -> None:
    envelope = encrypt_like_a_client(await lasting_vault.public_key_pem(), text.encode())
    assert (await lasting_vault.open_transport(as_sent(envelope))).reveal(may_reveal) == text


async def test_a_long_secret_with_unknown_extra_fields_arrives(vault: Vault, may_reveal: Capability) -> None:
    text = "x" * 100_000
    envelope = encrypt_like_a_client(await vault.public_key_pem(), text.encode())
    opened = await vault.open_transport(json.dumps({**envelope, "algorithm": "future"}))
    assert opened.reveal(may_reveal) == text


async def test_an_envelope_for_another_key_names_the_variable_to_set(vault: Vault) -> None:
    stranger = rsa.generate_private_key(65537, 2048).public_key()
    pem = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(DecryptionFailed, match="CODIKA_PUBLIC_KEY_URL") as refusal:
        await vault.open_transport(as_sent(encrypt_like_a_client(pem, b"secret")))
    assert (refusal.value.status, refusal.value.code) == (400, "DECRYPTION_FAILED")


@given(data=st.data())
@settings(max_examples=100, deadline=None)
async def test_any_flipped_bit_of_an_envelope_is_refused(lasting_vault: Vault, data: st.DataObject) -> None:
    envelope = encrypt_like_a_client(await lasting_vault.public_key_pem(), b"secret")
    name = data.draw(st.sampled_from(sorted(envelope)))
    raw = bytearray(base64.b64decode(envelope[name]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    envelope[name] = base64.b64encode(raw).decode()
    with pytest.raises(DecryptionFailed):
        await lasting_vault.open_transport(as_sent(envelope))


MALFORMED: list[Callable[[dict[str, str]], str]] = [
    lambda envelope: "",
    lambda envelope: "sk-live-in-the-clear",
    lambda envelope: "[]",
    lambda envelope: "null",
    lambda envelope: "{}",
    lambda envelope: as_sent(envelope)[:-1],
    lambda envelope: "\ud800",
    lambda envelope: "[" * 5000,
    lambda envelope: json.dumps({name: value for name, value in envelope.items() if name != "iv"}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": 7}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": None}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": ""}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": "not base64!"}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": "é"}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": "!" + envelope["encryptedKey"]}),
    lambda envelope: json.dumps({**envelope, "encryptedKey": envelope["encryptedData"]}),
    lambda envelope: json.dumps({**envelope, "encryptedData": "AAAA"}),
    lambda envelope: json.dumps({**envelope, "encryptedData": ""}),
    lambda envelope: json.dumps({**envelope, "iv": ""}),
    lambda envelope: json.dumps({**envelope, "iv": "AAAAAAAAAAAAAAAAAAAAAA=="}),
]


@pytest.mark.parametrize("spoil", MALFORMED)
async def test_a_malformed_envelope_is_refused(vault: Vault, spoil: Callable[[dict[str, str]], str]) -> None:
    envelope = encrypt_like_a_client(await vault.public_key_pem(), b"secret")
    with pytest.raises(DecryptionFailed):
        await vault.open_transport(spoil(envelope))


@pytest.mark.parametrize("key_bytes", [16, 24])
async def test_an_envelope_with_a_shorter_aes_key_is_refused(vault: Vault, key_bytes: int) -> None:
    envelope = encrypt_like_a_client(await vault.public_key_pem(), b"secret", key_bytes=key_bytes)
    with pytest.raises(DecryptionFailed):
        await vault.open_transport(as_sent(envelope))


async def test_a_plaintext_that_is_no_text_is_refused(vault: Vault) -> None:
    envelope = encrypt_like_a_client(await vault.public_key_pem(), b"\xff\xfe")
    with pytest.raises(DecryptionFailed):
        await vault.open_transport(as_sent(envelope))


async def test_a_stored_ciphertext_cannot_be_replayed_as_an_envelope(vault: Vault) -> None:
    _, _, _, wrapped, iv, ciphertext = (await vault.seal("secret", PLACE)).text.split(".")
    with pytest.raises(DecryptionFailed):
        await vault.open_transport(as_sent({"encryptedKey": wrapped, "iv": iv, "encryptedData": ciphertext}))


async def test_an_envelope_cannot_be_stored_as_a_sealed_value(pems: tuple[Secret, Secret]) -> None:
    same_key = Vault(MemorySecretStore({"podium-storage-key": [pems[0]], TRANSPORT_SECRET: [pems[0]]}))
    envelope = encrypt_like_a_client(await same_key.public_key_pem(), b"secret")
    parts = (envelope["encryptedKey"], envelope["iv"], envelope["encryptedData"])
    with pytest.raises(CannotOpen):
        await same_key.open(Sealed(f"v1.storage.1.{'.'.join(parts)}"), PLACE)


async def test_an_unreachable_secret_manager_is_not_blamed_on_the_client(
    secrets: MemorySecretStore, vault: Vault
) -> None:
    envelope = encrypt_like_a_client(await vault.public_key_pem(), b"secret")
    secrets.down = True
    with pytest.raises(SecretsUnavailable):
        await Vault(secrets).open_transport(as_sent(envelope))

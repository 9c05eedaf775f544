from __future__ import annotations

from shared.vault.boxed import Secret
from shared.vault.ciphercache import CipherCache
from shared.vault.datakey import fresh_data_key
from shared.vault.rsakey import RsaKey


def wrapped_keys(key: RsaKey, count: int) -> list[bytes]:
    return [key.wrap(fresh_data_key(), b"label") for _ in range(count)]


def test_a_data_key_is_unwrapped_once(pems: tuple[Secret, Secret]) -> None:
    key, cache = RsaKey.from_pem(pems[0]), CipherCache(2)
    [wrapped] = wrapped_keys(key, 1)
    assert cache.get(wrapped, b"label", key) is cache.get(wrapped, b"label", key)


def test_the_one_used_longest_ago_makes_room(pems: tuple[Secret, Secret]) -> None:
    key, cache = RsaKey.from_pem(pems[0]), CipherCache(2)
    one, two, three = wrapped_keys(key, 3)
    first, second = cache.get(one, b"label", key), cache.get(two, b"label", key)
    assert cache.get(one, b"label", key) is first
    cache.get(three, b"label", key)
    assert len(cache) == 2
    assert cache.get(one, b"label", key) is first
    assert cache.get(two, b"label", key) is not second


def test_a_cache_of_size_zero_keeps_nothing(pems: tuple[Secret, Secret]) -> None:
    key, cache = RsaKey.from_pem(pems[0]), CipherCache(0)
    [wrapped] = wrapped_keys(key, 1)
    assert cache.get(wrapped, b"label", key) is not cache.get(wrapped, b"label", key)
    assert len(cache) == 0


def test_what_does_not_unwrap_is_not_kept(pems: tuple[Secret, Secret]) -> None:
    key, cache = RsaKey.from_pem(pems[0]), CipherCache(2)
    [wrapped] = wrapped_keys(key, 1)
    assert cache.get(wrapped, b"other label", key) is None
    assert cache.get(wrapped, b"label", RsaKey.from_pem(pems[1])) is None
    assert len(cache) == 0

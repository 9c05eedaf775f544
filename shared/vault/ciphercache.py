"""The data keys that were unwrapped last."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

from shared.vault.datakey import Cipher
from shared.vault.rsakey import RsaKey


@final
class CipherCache:
    """Lets the same stored secret be opened again in microseconds.

    An RSA private operation takes a millisecond, and a busy trigger opens the same few secrets for every
    run. Only memory holds these keys, beside the private key that could unwrap them anyway, so they give
    away nothing new. The label is part of the cache key: a cached data key serves its own context only.
    """

    def __init__(self, size: int) -> None:
        """Keep the ``size`` data keys used last; 0 keeps none."""
        self._size = size
        self._ciphers: OrderedDict[tuple[bytes, bytes], Cipher] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ciphers)

    def get(self, wrapped: bytes, label: bytes, key: RsaKey) -> Cipher | None:
        """Return the cipher of a wrapped data key, ``None`` when ``key`` and ``label`` do not unwrap it."""
        cipher = self._ciphers.get((wrapped, label))
        if cipher is None:
            return self._unwrapped(wrapped, label, key)
        self._ciphers.move_to_end((wrapped, label))
        return cipher

    def _unwrapped(self, wrapped: bytes, label: bytes, key: RsaKey) -> Cipher | None:
        cipher = Cipher.of(key.unwrap(wrapped, label))
        if cipher is not None and self._size > 0:
            self._ciphers[wrapped, label] = cipher
            if len(self._ciphers) > self._size:
                self._ciphers.popitem(last=False)
        return cipher

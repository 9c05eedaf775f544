"""What a request says about the documents it will need, before anything was read."""

from __future__ import annotations

from collections.abc import Mapping


class Asked(dict[str, str]):
    """The path's parameters by name; also the headers, and the digest of the presented key (or nothing)."""

    __slots__ = ("headers", "key_digest")

    def __init__(
        self, params: Mapping[str, str], headers: Mapping[str, str] | None = None, key_digest: str = ""
    ) -> None:
        super().__init__(params)
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        self.key_digest = key_digest

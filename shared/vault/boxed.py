"""Boxed values: plaintexts that cannot be shown by accident, and the ciphertexts they are stored as."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, SupportsIndex, final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_SHOWN = re.compile(r"v1\.[a-z]{1,32}\.[0-9]{1,9}(?=\.)")


@final
class Capability:
    """The permission to open a :class:`Secret`.

    Whoever needs plaintext constructs one with the reason, so a search for ``Capability(`` lists every
    place of the platform where a secret leaves its box.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Capability({self.reason!r})"


@final
class Secret:
    """A plaintext in a box: it has no repr, no text, no JSON, no pickle and no equality by value."""

    __slots__ = ("__opened",)

    def __init__(self, plaintext: str | bytes) -> None:
        """Box ``plaintext``; text is kept as UTF-8.

        Raises:
            ValueError: the text holds a lone surrogate. The message does not carry the text.
        """
        data = _utf8(plaintext) if isinstance(plaintext, str) else bytes(plaintext)
        del plaintext
        if data is None:
            raise ValueError("the secret is not valid Unicode text")
        # A closure, not an attribute: tools that walk slots or __dict__ find only a function.
        self.__opened: Callable[[], bytes] = lambda: data

    def reveal(self, capability: Capability) -> str:
        """Return the plaintext as text.

        Raises:
            TypeError: no capability was presented.
            ValueError: the plaintext is not UTF-8. The message does not carry the bytes.
        """
        text = _text(self.reveal_bytes(capability))
        if text is None:
            raise ValueError("the secret is not UTF-8 text")
        return text

    def reveal_bytes(self, capability: Capability) -> bytes:
        """Return the plaintext as bytes.

        Raises:
            TypeError: no capability was presented.
        """
        if not isinstance(capability, Capability):
            raise TypeError("a secret opens only with a Capability")
        return self.__opened()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is never copied or serialised")


# Neither lets a Unicode error escape: it carries the whole text, and so do these frames' locals.


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


@final
@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A stored ciphertext: ``v1.<ring>.<key version>.<wrapped key>.<iv>.<ciphertext and tag>``.

    Nothing is parsed or checked before it is opened, so loading a document never fails or decrypts.
    In a pydantic model it validates from, and is dumped as, that one string.
    """

    text: str

    def __repr__(self) -> str:
        shown = _SHOWN.match(self.text)
        return f"Sealed({shown[0] if shown else 'malformed'})"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _stored_text, return_schema=core_schema.str_schema()
            ),
        )


def _stored_text(sealed: Sealed) -> str:
    return sealed.text

"""An n8n API key in memory."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex, final


@final
class N8nApiKey:
    """An API key without repr, text or pickle; :meth:`reveal` is called where the header is written."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Keep ``text``.

        Raises:
            ValueError: the key is empty or cannot stand in a header. The message does not carry it.
        """
        if not text or not text.isascii() or not text.isprintable():
            raise ValueError("an n8n API key is a non-empty line of printable ASCII")
        self.__text = text

    def reveal(self) -> str:
        """Return the key as text."""
        return self.__text

    def hide_in(self, text: str) -> str:
        """Return ``text`` with every occurrence of the key replaced."""
        return text.replace(self.__text, "…")

    def __repr__(self) -> str:
        return "N8nApiKey(…)"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an API key is never copied or serialised")

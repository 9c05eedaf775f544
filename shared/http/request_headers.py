"""Request headers that an endpoint reads, declared like the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Header:
    """An optional header. The whole value matches ``pattern``; ``code`` and ``refusal`` say so if not."""

    name: str
    description: str
    pattern: str
    code: str
    refusal: str


def check_headers(declared: Iterable[Header], headers: Mapping[str, str]) -> None:
    """Raise when a header that was sent is not what it is declared to be.

    Raises:
        InvalidRequest: with the header's own code.
    """
    for header in declared:
        value = headers.get(header.name)
        if value is not None and re.fullmatch(header.pattern, value) is None:
            raise InvalidRequest(header.refusal, code=header.code, field=header.name)


IDEMPOTENCY_KEY = Header(
    name="Idempotency-Key",
    description=(
        "Makes the call safe to repeat for 24 hours: a repeat with the same key and payload gets the "
        "execution id of the first call, with the response header `Idempotent-Replayed: true`, and starts "
        "nothing. The key counts for this API key and workflow alone. Choose a new one, such as a UUID, for "
        "every new call."
    ),
    pattern=r"[\x20-\x7e]{1,255}",
    code="INVALID_IDEMPOTENCY_KEY",
    refusal="An Idempotency-Key has 1 to 255 printable ASCII characters.",
)

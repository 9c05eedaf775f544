"""What can be a secret that calls are signed with."""

from __future__ import annotations

from shared.signatures.verify import SCHEMES

SHORTEST = 8
"""Bytes of a key; less can be guessed from one signed call."""

LONGEST = 1024
"""Bytes of a secret."""

KINDS = tuple(dict.fromkeys(scheme.kind for scheme in SCHEMES))


def check_secret(kind: str, text: str) -> str | None:
    """Return what is wrong with a secret, ``None`` for nothing. What is returned never holds the secret."""
    if not text:
        return "it is empty"
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    scheme = next(scheme for scheme in SCHEMES if scheme.kind == kind)
    keys = scheme.keys(text)
    if not keys:
        return "it is not base64, with or without whsec_ in front, as secrets of Standard Webhooks are"
    if any(len(key) < SHORTEST for key in keys):
        return f"its key has less than {SHORTEST} bytes, which can be guessed"
    return None

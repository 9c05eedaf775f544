"""Random document ids in the form the client libraries make them."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def auto_id() -> str:
    """Twenty random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))

"""What an integration's credential is called in n8n (platform §7)."""

from __future__ import annotations

import hashlib

from shared.model.integrations.integration import ContextType, Holder

_FRAMES = {
    ContextType.ORGANIZATION: ("WVYZQWVY", "YVWQZYVW"),
    ContextType.MEMBER: ("USERCRED", "DERCRESU"),
    ContextType.PROCESS_INSTANCE: ("INSTCRED", "DERCTSNI"),
}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_ID = 16


def credential_name(holder: Holder, integration_id: str, display_name: str) -> str:
    """Return the credential's name, at most 64 characters.

    Names of the platform's own credentials start with ``[Codika]``.
    """
    if holder.context_type is ContextType.PLATFORM:
        return f"[Codika] {display_name}"[:64]
    prefix, suffix = _FRAMES[holder.context_type]
    is_member = holder.context_type is ContextType.MEMBER
    owner = holder.organization_id + holder.owner if is_member else holder.owner
    digest = hashlib.sha256(owner.encode()).hexdigest()[:25]
    return f"{prefix}_{integration_id.upper()[:20]}_{digest}_{suffix}"


def credential_id(holder: Holder, integration_id: str) -> str:
    """Return the credential's n8n id: 16 letters and digits, always the same for the same integration.

    Chosen by us and not by n8n, so that a credential whose record was never written is found again.
    """
    parts = (holder.organization_id, holder.context_type.value, holder.owner, integration_id)
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest(), "big")
    letters: list[str] = []
    for _ in range(_LONGEST_ID):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)

"""How far the change to a new storage key has come (design, vault)."""

from __future__ import annotations

from datetime import datetime

from shared.model.document import Document


class KeyRotation(Document):
    """One rotation of the storage key; its document id is the new version's number.

    ``holding`` and ``after`` say where the walk through the stored secrets goes on: which kind of document,
    and behind which path. ``resealed`` and ``unreadable`` count documents of the walk.
    """

    version: int
    rotated_at: datetime
    walk_started_at: datetime | None = None
    walk_ended_at: datetime | None = None
    holding: int = 0
    after: str | None = None
    resealed: int = 0
    unreadable: int = 0
    retired_at: datetime | None = None

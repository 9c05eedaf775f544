"""What can go wrong: a write whose condition did not hold, a document nobody can read."""

from __future__ import annotations


class StoreConflict(Exception):
    """A write's condition did not hold; nothing of the commit was applied."""


class AlreadyExists(StoreConflict):
    """A document that was to be created is there already."""


class Changed(StoreConflict):
    """A document changed, or vanished, since it was read."""


class Unreadable(Exception):
    """A stored document is not what its model expects. Says where, never what was found there."""

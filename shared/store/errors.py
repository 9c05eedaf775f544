"""What can go wrong with a write that carried a condition."""

from __future__ import annotations


class StoreConflict(Exception):
    """A write's condition did not hold; nothing of the commit was applied."""


class AlreadyExists(StoreConflict):
    """A document that was to be created is there already."""


class Changed(StoreConflict):
    """A document changed, or vanished, since it was read."""

"""Turns: what lets changes of a whole set of documents happen one after the other."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class TurnOf(StrEnum):
    """The sets whose size or composition a rule limits, or that are summed up elsewhere."""

    API_KEYS = "apiKeys"
    MEMBERS = "members"
    EVENT_SUBSCRIPTIONS = "eventSubscriptions"


class Turn(Document):
    """The last change of a set. Whoever changes the set rewrites it, if it is still as it was read."""

    taken_at: datetime

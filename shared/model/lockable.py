"""What one deployment at a time may change."""

from __future__ import annotations

from datetime import datetime

from shared.model.document import Document


class Lockable(Document):
    """Taken by one deployment at a time.

    ``deploying`` names the deployment instance that holds it until ``deploying_until``; an expired lock may
    be taken.
    """

    deploying: str | None = None
    deploying_until: datetime | None = None

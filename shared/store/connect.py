"""Opening the store."""

from __future__ import annotations

from google.cloud import firestore

from shared.settings import Settings
from shared.store.store import Store


def connect(settings: Settings) -> Store:
    """Return a store on the settings' database; ``FIRESTORE_EMULATOR_HOST`` redirects the client."""
    return Store(firestore.AsyncClient(project=settings.project, database=settings.database))

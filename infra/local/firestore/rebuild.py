"""Brings the index entries in line with a changed index file, when the server starts."""

from __future__ import annotations

import json

from infra.local.firestore import names
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.entries import Indexer
from infra.local.firestore.storage import Storage
from infra.local.firestore.wire import Document

BATCH = 500
_META = "indexes"


def rebuild(storage: Storage, catalogue: IndexCatalogue) -> int:
    """Corrects the entries of collection groups whose declarations changed; returns the documents touched.

    Interrupted, it starts over and does the same again: the new declarations are noted last.
    """
    stored = storage.meta(_META)
    before = IndexCatalogue(None if stored is None else json.loads(stored))
    groups = {*before.groups, *catalogue.groups}
    changed = {group for group in groups if before.group(group).identity != catalogue.group(group).identity}
    touched = _correct(storage, Indexer(before), Indexer(catalogue), changed) if changed else 0
    storage.set_meta(_META, json.dumps(catalogue.declared))
    return touched


def _correct(storage: Storage, before: Indexer, now: Indexer, groups: set[str]) -> int:
    touched = last = batches = 0
    while True:
        rows = storage.main.execute(
            "SELECT id, name, data FROM documents WHERE id > ? ORDER BY id LIMIT ?", (last, BATCH)
        ).fetchall()
        if not rows:
            return touched
        last, batches = rows[-1][0], batches + 1
        if batches % 20 == 0:
            storage.finish_log()
        with storage.transaction():
            for identifier, name, data in rows:
                place = names.place(name)
                if place.group in groups:
                    fields = Document.FromString(data).fields
                    old, new = before.keys(place, fields), now.keys(place, fields)
                    storage.change_entries(identifier, old - new, new - old)
                    touched += 1

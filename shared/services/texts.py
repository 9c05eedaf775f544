"""Keeping texts where they fit: in their document, or, when large, compressed in a blob (design §4)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.model.text import Text
from shared.services.platform import Platform

INLINE_BYTES = 128 * 1024
"""What a document holds itself, in UTF-8; Firestore's limit of 1 MiB includes everything else in it."""


async def keep_text(platform: Platform, organization_id: str, content: str) -> Text:
    """Return how a text is kept; a large one is stored first. Safe to repeat."""
    raw = content.encode()
    if len(raw) <= INLINE_BYTES:
        return Text(content=content)
    (digest,) = await platform.blobs.put(organization_id, [raw])
    return Text(content_blob=digest)


async def read_texts(platform: Platform, organization_id: str, kept: Sequence[Text]) -> list[str]:
    """Return the contents in order: no read when all are small, one batched read otherwise."""
    digests = [text.content_blob for text in kept if text.content_blob is not None]
    large = await platform.blobs.get(organization_id, digests)
    return [large[t.content_blob].decode() if t.content_blob else t.content or "" for t in kept]

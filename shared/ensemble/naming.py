"""Names of workflows in n8n: readable, and the same every time, so that one is found again by name."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

MAX_LENGTH = 128
_MARKER_LENGTH = 12
_NAMESPACE = uuid.UUID("6d1f3b1e-6f0a-5b53-9c1b-0f6d2f0f5a11")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a workflow comes from. For process-level ingestion the instance is the data ingestion."""

    title: str
    workflow_name: str
    template_id: str
    instance_id: str

    @property
    def marker(self) -> str:
        """Return 12 hex characters that no other workflow of the platform has, whatever the titles."""
        return hashlib.sha256(f"{self.instance_id}\0{self.template_id}".encode()).hexdigest()[:_MARKER_LENGTH]

    @property
    def name(self) -> str:
        """Return the workflow's name in n8n, at most 128 characters, ending in instance and marker."""
        tail = f" [{_shortened(self.instance_id, 48)} {self.marker}]"
        human = " ".join(f"{self.title} / {self.workflow_name}".split())
        return _shortened(human, MAX_LENGTH - _units(tail)) + tail

    def stable_uuid(self, *parts: str) -> str:
        """Return a UUID that depends on the origin and the parts alone."""
        return str(uuid.uuid5(_NAMESPACE, "\0".join([self.instance_id, self.template_id, *parts])))


def _units(text: str) -> int:
    """Return the length as n8n counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shortened(text: str, limit: int) -> str:
    if _units(text) <= limit:
        return text
    text = text[: limit - 1]
    while _units(text) > limit - 1:
        text = text[:-1]
    return text.rstrip() + "…"

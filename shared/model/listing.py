"""What others may see of a process that was published to them, and who installed it (platform §12)."""

from __future__ import annotations

from datetime import datetime

from shared.model.configuration import CustomIntegration
from shared.model.document import Document
from shared.model.project import ProcessType


class Listing(Document):
    """A published process as it is offered; named after the process.

    It holds what may be shown and nothing else: no workflow file, no address, no data of its owner. Whoever
    reads a listing can therefore leak nothing.

    ``audiences`` says to whom: ``public``, ``organization:ID``, ``managers:ID`` of an organization,
    ``team:ID`` or ``user:ORGANIZATION:ID``; none for a process that is put away. ``index`` holds every
    audience, and the wide ones joined with each search term, so that one query finds what a caller may see.
    """

    process_id: str
    organization_id: str
    organization_name: str
    title: str
    subtitle: str = ""
    description: str = ""
    icon: str | None = None
    tags: list[str] = []
    markdown: str = ""
    process_type: ProcessType
    template_id: str
    version: str
    release_notes: str | None = None
    integration_uids: list[str] = []
    """The integrations a tenant has to connect."""
    custom_integrations: list[CustomIntegration] = []
    outline: str
    """JSON text of the version's :class:`~shared.model.outline.Outline`."""
    audiences: list[str] = []
    index: list[str] = []
    published_at: datetime


class Installation(Document):
    """The claim on the one installation a user, or an organization, may have of a process.

    Named after the process and whoever may have one; created with the installation, deleted with it.
    """

    organization_id: str
    process_id: str
    process_instance_id: str
    user_id: str

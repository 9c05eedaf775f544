"""The listing of a published process: made anew by every publish, hidden and shown by its owners."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.model.configuration import Configuration
from shared.model.listing import Listing
from shared.model.outline import Outline, WorkflowOutline, outline_of
from shared.model.project import Process
from shared.model.template import Template
from shared.placeholders import Scope, find, integration_of
from shared.services.marketplace.audiences import audiences_of, index_of
from shared.services.marketplace.terms import terms_of
from shared.store import refs
from shared.store.store import Patch, Put, Write

LONGEST_MARKDOWN = 200_000
"""Characters that are shown; a document of Firestore ends at 1 MiB."""

_OF_TENANTS = (
    Scope.ORGANIZATION_CREDENTIAL,
    Scope.MEMBER_CREDENTIAL,
    Scope.INSTANCE_CREDENTIAL,
    Scope.FLEXIBLE_CREDENTIAL,
)


def listing_of(
    process: Process,
    organization_name: str,
    template: Template,
    configuration: Configuration,
    texts: Iterable[str],
    now: datetime,
    *,
    hidden: bool,
) -> Listing:
    """Return what is shown of a process, as its fields say to whom; ``texts`` are its workflow files.

    Of the files it holds nothing but the ids of the integrations they need.
    """
    listing = Listing(
        process_id=template.process_id,
        organization_id=process.organization_id,
        organization_name=organization_name,
        title=configuration.title,
        subtitle=configuration.subtitle,
        description=configuration.description,
        icon=configuration.icon,
        tags=configuration.tags,
        markdown=configuration.process_deployment_markdown[:LONGEST_MARKDOWN],
        process_type=process.process_type,
        template_id=process.published_template_id or "",
        version=template.version,
        release_notes=configuration.release_notes,
        integration_uids=_needed(configuration, texts),
        custom_integrations=configuration.custom_integrations,
        outline=_outline(configuration),
        published_at=now,
    )
    return listing.model_copy(update=shown_to(listing, process, hidden=hidden))


def shown_to(listing: Listing, process: Process, *, hidden: bool) -> dict[str, object]:
    """Return the fields of a listing that say to whom it is shown."""
    audiences = [] if hidden else audiences_of(process)
    terms = terms_of(listing.title, listing.subtitle, listing.description, listing.tags)
    return {"audiences": audiences, "index": index_of(audiences, terms)}


def put(listing: Listing) -> Write:
    """Return the write of a whole listing."""
    return Put(refs.listing(listing.process_id), listing)


def patch(listing: Listing, process: Process, unchanged_since: datetime, *, hidden: bool) -> Write:
    """Return the write that changes to whom a listing is shown; fails if it changed meanwhile."""
    fields = shown_to(listing, process, hidden=hidden)
    return Patch(refs.listing(listing.process_id), fields, unchanged_since)


def _needed(configuration: Configuration, texts: Iterable[str]) -> list[str]:
    named = [integration_of(token) for text in texts for token in find(text) if token.scope in _OF_TENANTS]
    return list(dict.fromkeys([*configuration.required_integrations(), *named]))


def _outline(configuration: Configuration) -> str:
    """Return the outline's text; of one that is too long, its workflows without their schemas."""
    outline = outline_of(configuration)
    kept = outline.kept()
    if kept is not None:
        return kept
    short = Outline(
        input_schema=outline.input_schema,
        parameters=outline.parameters,
        workflows=[_shortened(workflow) for workflow in outline.workflows],
    )
    return short.kept() or Outline(parameters=outline.parameters).model_dump_json(by_alias=True)


def _shortened(workflow: WorkflowOutline) -> WorkflowOutline:
    triggers = [
        {name: value for name, value in trigger.items() if name != "inputSchema"}
        for trigger in workflow.triggers
    ]
    return workflow.model_copy(update={"triggers": triggers})

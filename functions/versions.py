"""The versions of a use case: what there is, what differs, and the sources of each (platform §10)."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from shared.ensemble.difference import Difference
from shared.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.services.versions.compare import compare_versions
from shared.services.versions.download import download_version
from shared.services.versions.list import Listed, list_versions


class VersionsQuery(Document):
    """The query of ``listVersionsPublic``; ``after`` is the ``next`` of the page before."""

    project_id: str
    after: str | None = None
    limit: int = Field(default=50, ge=1)


class VersionRow(Document):
    """A version. ``runs_in`` names the owner's environments that run it."""

    version: str
    template_id: str
    status: str
    title: str
    release_notes: str | None = None
    created_by: str
    created_at: Timestamp
    runs_in: list[str]


class Versions(Document):
    """Versions, newest first; ``next`` is there when older ones follow."""

    project_id: str
    versions: list[VersionRow]
    next: str | None = None


@endpoint(
    "GET",
    "listVersionsPublic",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_READ, Scope.DEPLOY_USE_CASE)),
    envelope=Envelope.DATA,
    request=VersionsQuery,
    response=Versions,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_versions_public(call: Call[VersionsQuery]) -> Versions:
    """List the versions of a project, newest first."""
    query = call.body
    page = await list_versions(
        call.platform, call.caller, query.project_id, after=query.after, limit=query.limit
    )
    rows = [_row(listed) for listed in page.versions]
    return Versions(project_id=query.project_id, versions=rows, next=page.following)


def _row(listed: Listed) -> VersionRow:
    template = listed.template
    return VersionRow(
        version=template.version,
        template_id=listed.template_id,
        status=template.status,
        title=template.title,
        release_notes=template.release_notes,
        created_by=template.created_by,
        created_at=template.created_at,
        runs_in=[environment.value for environment in listed.runs_in],
    )


class CompareQuery(Document):
    """The query of ``compareVersionsPublic``; each version is ``X.Y`` or a template id."""

    project_id: str
    from_: str = Field(alias="from", min_length=1)
    to: str = Field(min_length=1)


class Comparison(Difference):
    """What differs from one version to another."""

    from_: str = Field(alias="from")
    to: str


@endpoint(
    "GET",
    "compareVersionsPublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=CompareQuery,
    response=Comparison,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
    memory_mebibytes=512,
    concurrency=20,
)
async def compare_versions_public(call: Call[CompareQuery]) -> Comparison:
    """Tell what differs between two versions, in data and in sentences."""
    query = call.body
    found = await compare_versions(call.platform, call.caller, query.project_id, query.from_, query.to)
    return Comparison(from_=found.before, to=found.after, **dict(found.difference))


class DownloadQuery(Document):
    """The query of ``downloadVersionPublic``; the version is ``X.Y`` or a template id."""

    project_id: str
    version: str = Field(min_length=1)


@endpoint(
    "GET",
    "downloadVersionPublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=DownloadQuery,
    response=Versions,
    media_type="application/zip",
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
    memory_mebibytes=512,
    concurrency=5,
)
async def download_version_public(call: Call[DownloadQuery]) -> Response:
    """Download the sources of a version as a zip: configuration, workflows, skills and source files."""
    query = call.body
    archive = await download_version(call.platform, call.caller, query.project_id, query.version)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{query.project_id[:64]}-{archive.version}.zip"',
    }
    return Response(archive.content, media_type="application/zip", headers=headers)

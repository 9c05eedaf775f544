"""Projects: the workspaces use cases are deployed from (api §5.5, §5.6, §5.7)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Complete, Document, Timestamp
from shared.model.project import Project, ProjectStatus
from shared.model.scopes import Scope
from shared.services.access import accessible_project
from shared.services.projects.archive import set_archived
from shared.services.projects.create import create_project
from shared.services.projects.list import list_projects
from shared.services.projects.update import update_project


class CreateProject(Document):
    """The body of ``createProjectViaApiKey``."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    description: str = Field(default="", max_length=5_000)
    template_id: str = "two_stage"
    organization_id: str | None = None


class CreatedProject(Document):
    """A new project."""

    project_id: str


@endpoint(
    "POST",
    "createProjectViaApiKey",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_CREATE,)),
    envelope=Envelope.DATA,
    request=CreateProject,
    response=CreatedProject,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def create_project_via_api_key(call: Call[CreateProject]) -> CreatedProject:
    """Create a project."""
    body = call.body
    project_id = await create_project(
        call.platform,
        call.caller,
        name=body.name,
        description=body.description,
        template_id=body.template_id,
        organization_id=body.organization_id,
    )
    return CreatedProject(project_id=project_id)


class ProjectsQuery(Document):
    """The query of ``listProjectsPublic``. ``archived`` projects are listed instead of the others."""

    archived: bool = False
    limit: int = Field(default=50, ge=1)
    organization_id: str | None = None


class ProjectRow(Complete):
    """A project as lists show it."""

    id: str
    name: str
    description: str
    status: str
    has_published_process: bool
    created_by: str
    created_at: Timestamp | None
    archived: bool


class Projects(Complete):
    """Projects, newest first. ``count`` is how many there are in this answer."""

    projects: list[ProjectRow]
    count: int
    organization_id: str


@endpoint(
    "GET",
    "listProjectsPublic",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_READ,)),
    envelope=Envelope.DATA,
    request=ProjectsQuery,
    response=Projects,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_projects_public(call: Call[ProjectsQuery]) -> Projects:
    """List the projects a caller may see, at most 100."""
    query = call.body
    organization_id, found = await list_projects(
        call.platform, call.caller, query.organization_id, archived=query.archived, limit=query.limit
    )
    rows = [ProjectRow.model_validate(_row(_id(project.ref.path), project.value)) for project in found]
    return Projects(projects=rows, count=len(rows), organization_id=organization_id)


class ProjectChoice(Document):
    """A body that names a project."""

    project_id: str


class LastDeployment(Complete):
    """The version a project last deployed."""

    version: str
    deployed_at: Timestamp | None


class ProjectDetails(ProjectRow):
    """A project."""

    process_id: str | None
    current_deployment: LastDeployment | None
    stage_count: int
    current_stage: int


@endpoint(
    "POST",
    "getProjectPublic",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_READ,)),
    envelope=Envelope.DATA,
    request=ProjectChoice,
    response=ProjectDetails,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_project_public(call: Call[ProjectChoice]) -> ProjectDetails:
    """Return a project."""
    found = await accessible_project(call.platform, call.caller, call.body.project_id)
    return _details(call.body.project_id, found.value)


class UpdateProject(Document):
    """The body of ``updateProjectPublic``. What is absent stays as it is."""

    project_id: str
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    description: str | None = Field(default=None, max_length=5_000)
    status: ProjectStatus | None = None


@endpoint(
    "POST",
    "updateProjectPublic",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_CREATE,)),
    envelope=Envelope.DATA,
    request=UpdateProject,
    response=ProjectDetails,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def update_project_public(call: Call[UpdateProject]) -> ProjectDetails:
    """Rename or describe a project, complete it or take it up again; return it."""
    body = call.body
    wish = body.model_dump(include={"name", "description", "status"}, exclude_none=True)
    return _details(body.project_id, await update_project(call.platform, call.caller, body.project_id, wish))


class ArchivedProject(Document):
    """Whether a project is archived now."""

    project_id: str
    archived: bool


@endpoint(
    "POST",
    "archiveProject",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_CREATE,)),
    envelope=Envelope.DATA,
    request=ProjectChoice,
    response=ArchivedProject,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def archive_project(call: Call[ProjectChoice]) -> ArchivedProject:
    """Take a project off the list; what it deployed goes on running."""
    return await _archive(call, archived=True)


@endpoint(
    "POST",
    "unarchiveProject",
    access=keys(O, P, A, scopes=(Scope.PROJECTS_CREATE,)),
    envelope=Envelope.DATA,
    request=ProjectChoice,
    response=ArchivedProject,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def unarchive_project(call: Call[ProjectChoice]) -> ArchivedProject:
    """Put an archived project back on the list."""
    return await _archive(call, archived=False)


async def _archive(call: Call[ProjectChoice], *, archived: bool) -> ArchivedProject:
    await set_archived(call.platform, call.caller, call.body.project_id, archived)
    return ArchivedProject(project_id=call.body.project_id, archived=archived)


def _id(path: str) -> str:
    return path.rpartition("/")[2]


def _details(project_id: str, project: Project) -> ProjectDetails:
    deployed = project.current_deployment
    details = {
        **_row(project_id, project),
        "process_id": project.process_id,
        "current_deployment": deployed and deployed.model_dump(),
        "stage_count": project.stage_count,
        "current_stage": project.current_stage,
    }
    return ProjectDetails.model_validate(details)


def _row(project_id: str, project: Project) -> dict[str, object]:
    own = {name: getattr(project, name) for name in ProjectRow.model_fields if name in Project.model_fields}
    return {**own, "id": project_id}

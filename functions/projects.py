"""Projects: the workspaces use cases are deployed from (api §5.5)."""

from __future__ import annotations

from pydantic import Field

from shared.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.projects.create import create_project


class CreateProject(Document):
    """The body of ``createProjectViaApiKey``."""

    name: str = Field(min_length=1, max_length=100)
    description: str = ""
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

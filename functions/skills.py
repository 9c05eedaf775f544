"""What agents read to use an installation (api §5.26)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import Forbidden, NotFound, Unauthorized
from shared.http.access import A, I, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.deployments.skills import skills_of
from shared.store import refs
from shared.store.refs import Ref


class SkillFile(Document):
    """One skill; ``content_markdown`` is the whole file."""

    name: str
    description: str
    workflow_template_id: str
    content_markdown: str
    relative_path: str


class Skills(Document):
    """The skills of an installation."""

    process_instance_id: str
    skills: list[SkillFile]


def _instance_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.instance(params["processInstanceId"]),)


@endpoint(
    "GET",
    "getProcessSkillsPublic",
    "processInstanceId",
    access=keys(O, P, A, I, scopes=(Scope.SKILLS_READ,)),
    envelope=Envelope.DATA,
    response=Skills,
    prefetch=_instance_of,
    errors=(Unauthorized, Forbidden, NotFound),
)
async def get_process_skills_public(call: Call[None]) -> Skills:
    """Return the skills of the version that runs."""
    instance_id = call.params["processInstanceId"]
    (found,) = call.prefetched
    stored = await skills_of(call.platform, call.caller, instance_id, found)
    return Skills(process_instance_id=instance_id, skills=[SkillFile.model_validate(s) for s in stored])

"""Find a version of a project by its number or by its template's id."""

from __future__ import annotations

import orjson

from shared.ensemble.difference import Sources
from shared.errors import NotFound
from shared.model.template import Template
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, owned_by


async def version_of(platform: Platform, project_id: str, named: str) -> Template:
    """Return the template of a project's version; ``named`` is ``X.Y`` or a template id.

    Raises:
        NotFound (``VERSION_NOT_FOUND``): the project has none of that name.
    """
    query = owned_by("templates", Template, "project_id", project_id).where("version", "==", named)
    found = await find(platform.store, query.at_most(1))
    by_id = None if found else await platform.store.get(refs.template(named))
    template = found[0].value if found else by_id.value if by_id else None
    if template is None or template.project_id != project_id:
        raise NotFound(f"This project has no version {named}.", code="VERSION_NOT_FOUND")
    return template


async def sources_of(platform: Platform, template: Template, *, besides: Template | None = None) -> Sources:
    """Return a version's sources; workflow files that ``besides`` has too are left empty, being the same."""
    same = set(besides.workflow_blobs.items()) if besides else set()
    wanted = {name: digest for name, digest in template.workflow_blobs.items() if (name, digest) not in same}
    skills = [template.skills_blob] if template.skills_blob else []
    digests = [template.configuration_blob, *wanted.values(), *skills]
    contents = await platform.blobs.get(template.organization_id, digests)
    listed = orjson.loads(contents[skills[0]]) if skills else []
    return Sources(
        configuration=orjson.loads(contents[template.configuration_blob]),
        texts={name: contents[digest].decode() for name, digest in wanted.items()},
        files={
            **{file.relative_path: file.blob for file in template.files},
            **{f"skills/{skill['relativePath']}": skill["contentMarkdown"] for skill in listed},
        },
    )

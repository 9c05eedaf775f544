"""Pack a version's sources into one archive."""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath

import orjson

from shared.model.apikey import ApiKey
from shared.model.template import Template
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.services.versions.find import version_of


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip of a version's sources."""

    version: str
    content: bytes = field(repr=False)


async def download_version(platform: Platform, key: ApiKey, project_id: str, version: str) -> Archive:
    """Return a version's sources: ``configuration.json``, ``workflows/``, ``skills/`` and ``sources/``.

    Two downloads of one version are equal, byte for byte.

    Raises:
        NotFound (``PROJECT_NOT_FOUND``, ``VERSION_NOT_FOUND``), Forbidden.
    """
    await accessible_project(platform, key, project_id)
    template = await version_of(platform, project_id, version)
    files = await _files(platform, template)
    return Archive(template.version, await asyncio.to_thread(_packed, files))


async def _files(platform: Platform, template: Template) -> dict[str, bytes]:
    skills = [template.skills_blob] if template.skills_blob else []
    stored = {file.relative_path: file.blob for file in template.files}
    digests = [template.configuration_blob, *template.workflow_blobs.values(), *skills, *stored.values()]
    contents = await platform.blobs.get(template.organization_id, digests)
    listed = orjson.loads(contents[skills[0]]) if skills else []
    configuration = orjson.loads(contents[template.configuration_blob])
    return {
        "configuration.json": orjson.dumps(configuration, option=orjson.OPT_INDENT_2),
        **{f"workflows/{name}.json": contents[blob] for name, blob in template.workflow_blobs.items()},
        **{f"skills/{skill['relativePath']}": skill["contentMarkdown"].encode() for skill in listed},
        **{f"sources/{path}": contents[blob] for path, blob in stored.items()},
    }


def _packed(files: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            # Without a date of its own an entry is from 1980: equal sources make equal archives.
            archive.writestr(zipfile.ZipInfo(_inside(path)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _inside(path: str) -> str:
    """Return a path that stays inside the archive, whatever it was called."""
    return str(PurePosixPath(*(part for part in PurePosixPath(path).parts if part not in ("..", "/", "."))))

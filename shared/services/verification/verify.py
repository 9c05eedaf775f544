"""Check a use case that was sent, as its author's command line and its deploy would. Nothing is kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import InvalidConfiguration, InvalidRequest, InvalidWorkflowJson
from shared.validation.archive import BadArchive, files_in
from shared.validation.configuration import validate_configuration
from shared.validation.engine.check import check_use_case
from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.selection import Selection
from shared.validation.rules.names import unknown_names
from shared.validation.skills import validate_skills
from shared.validation.usecase.from_configuration import CONFIGURATION, files_of

SHAPE = "CONFIGURATION"
"""What a finding about the shape of a configuration is called."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, in the rules' order, and the files that were looked at, by path below the folder."""

    findings: Sequence[Finding]
    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A use case as it was sent: its configuration with its skills, or an archive of its folder."""

    configuration: object = field(default=None, repr=False)
    skills: object = field(default=None, repr=False)
    archive: str | None = field(default=None, repr=False)
    selection: Selection = field(default_factory=Selection)


async def verify(asked: Asked) -> Checked:
    """Return what the rules say of a use case, and for a configuration what a deploy would refuse.

    Raises:
        InvalidRequest: neither or both were sent, a rule is unknown, or the archive cannot be read.
    """
    selection = asked.selection
    if unknown := unknown_names([*selection.include, *selection.exclude, *selection.severities]):
        raise InvalidRequest(f"No rule is called {', '.join(unknown)}.", reason="unknown rule")
    if (asked.archive is None) == (asked.configuration is None):
        raise InvalidRequest(
            "Send either configuration, as a deploy does, or archive, a ZIP or tar in base64."
        )
    # A large use case takes seconds, in which other requests of the process go on.
    if asked.archive is not None:
        return await asyncio.to_thread(_archive, asked.archive, selection)
    return await asyncio.to_thread(_configuration, asked)


def _archive(encoded: str, selection: Selection) -> Checked:
    try:
        files = files_in(base64.b64decode("".join(encoded.split()), validate=True))
    except BadArchive as error:
        raise InvalidRequest(f"The archive cannot be checked: {error}.", field="archive") from None
    except (binascii.Error, ValueError):
        raise InvalidRequest("archive is not valid base64.", field="archive") from None
    if not files:
        raise InvalidRequest(
            "The archive holds no use case: no config.ts, workflows or skills at its top or in one folder.",
            field="archive",
        )
    return Checked(check_use_case(files, ".", selection), list(files))


def _configuration(asked: Asked) -> Checked:
    files = files_of(asked.configuration, asked.skills)
    found = check_use_case(files, ".", asked.selection)
    sent = [path for path in files if path != "project.json"]
    return Checked([*_refusal(asked), *map(_without_code, found)], list(map(_told, sent)))


def _refusal(asked: Asked) -> list[Finding]:
    """Return why a deploy would refuse the shape of what was sent, whatever rules were chosen."""
    try:
        configuration = validate_configuration(asked.configuration)
        validate_skills(asked.skills, [row.workflow_template_id for row in configuration.workflows])
    except (InvalidConfiguration, InvalidWorkflowJson) as error:
        at = (error.details or {}).get("field")
        where = None if at is None else f"At {at}."
        return [Finding(SHAPE, Severity.MUST, _told(CONFIGURATION), error.message, where)]
    return []


def _without_code(finding: Finding) -> Finding:
    """Return a finding without a place in code that nobody wrote."""
    if finding.path != CONFIGURATION:
        return finding
    return finding._replace(path=_told(CONFIGURATION), line=None, column=None, pointer=None, edit=None)


def _told(path: str) -> str:
    return "configuration" if path == CONFIGURATION else path

"""Rules of skills (types §10)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import TypeAdapter, ValidationError

from shared.errors import InvalidConfiguration
from shared.model.configuration import Skill
from shared.validation.paths import BadPath, normalised
from shared.validation.problems import Problem, of_pydantic, problem, refuse

_NAME = re.compile(r"[a-z0-9-]{1,64}")
_RESERVED = ("anthropic", "claude")
_LONGEST_DESCRIPTION = 1024
_SUBJECT = "The skills are not valid"
_SKILLS = TypeAdapter(list[Skill])


def validate_skills(raw: object, workflow_template_ids: Iterable[str]) -> list[Skill]:
    """Return the skills of a deploy; ``None`` means none. An empty description is accepted.

    Names become folder names where skills are downloaded, hence their alphabet. Raises
    :class:`InvalidConfiguration` naming every broken rule.
    """
    try:
        skills = _SKILLS.validate_python([] if raw is None else raw)
    except ValidationError as error:
        refuse(InvalidConfiguration, _SUBJECT, list(of_pydantic(error, ("skills",))))
        raise
    refuse(InvalidConfiguration, _SUBJECT, list(_check(skills, set(workflow_template_ids))))
    return skills


def _check(skills: Sequence[Skill], workflows: set[str]) -> Iterator[Problem]:
    names: set[str] = set()
    described: set[str] = set()
    for index, skill in enumerate(skills):
        here = ("skills", index)
        yield from _check_one(skill, index)
        if skill.workflow_template_id not in workflows:
            yield problem((*here, "workflowTemplateId"), "names no workflow of the configuration")
        if skill.workflow_template_id in described:
            yield problem((*here, "workflowTemplateId"), "has another skill already")
        if skill.name in names:
            yield problem((*here, "name"), "is used twice")
        names.add(skill.name)
        described.add(skill.workflow_template_id)


def _check_one(skill: Skill, index: int) -> Iterator[Problem]:
    here = ("skills", index)
    if not _NAME.fullmatch(skill.name):
        yield problem((*here, "name"), "must have 1 to 64 lower-case letters, digits and hyphens")
    elif any(word in skill.name for word in _RESERVED):
        yield problem((*here, "name"), f"must not contain {' or '.join(_RESERVED)}")
    if len(skill.description) > _LONGEST_DESCRIPTION:
        yield problem((*here, "description"), f"must have at most {_LONGEST_DESCRIPTION} characters")
    try:
        normalised(skill.relative_path)
    except BadPath as error:
        yield problem((*here, "relativePath"), f"is not valid: {error}")

"""Skills: what agents are told of a use case (platform §20, §23.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.pattern import pattern
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.folder_examples import SKILL, folder
from shared.validation.engine.rule import Layer, rule
from shared.validation.usecase.declared import DeclaredSkill, UseCase

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
_NAME = pattern(r"[a-z0-9-]+")
_KEYS = ("name", "description", "workflowTemplateId")
RESERVED = ("anthropic", "claude")
_AT = "skills/take-order/SKILL.md"


def _readable(use_case: UseCase) -> Iterator[tuple[DeclaredSkill, dict[str, str]]]:
    for skill in use_case.skills:
        front = dict(skill.front or {})
        if any(key in front for key in _KEYS):
            yield skill, front


def _problem(skill: DeclaredSkill, message: str, advice: str, severity: Severity | None = None) -> Problem:
    return Problem(message, advice, offset=0, path=skill.path, severity=severity)


@rule(
    "SKILL-STRUCTURE",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"skills/empty/notes.txt": "later"}),
    good=folder(),
)
def folders_hold_skills(use_case: UseCase) -> Iterator[Problem]:
    """Every folder in `skills/` holds a `SKILL.md`."""
    for skill in use_case.skills:
        if skill.front is None:
            yield Problem(
                f"{skill.path} has no SKILL.md", "Write one, or remove the folder.", path=skill.path
            )


@rule(
    "SKILL-FRONTMATTER",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({_AT: "# Take an order\n"}),
    good=folder(),
)
def skills_have_front_matter(use_case: UseCase) -> Iterator[Problem]:
    """A skill begins with its name, its description and its workflow, between lines of `---`."""
    for skill in use_case.skills:
        if skill.front is not None and not any(key in skill.front for key in _KEYS):
            yield _problem(skill, f"{skill.path} has no front matter", f"Begin with: {', '.join(_KEYS)}.")


@rule(
    "SKILL-NAME-FORMAT",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({_AT: SKILL.replace("name: take-order", "name: Take Order")}),
    good=folder(),
)
def skills_are_named(use_case: UseCase) -> Iterator[Problem]:
    """A skill's name is at most 64 lower-case letters, digits and hyphens, without reserved words."""
    for skill, front in _readable(use_case):
        name = front.get("name", "")
        wrong = (
            "is missing"
            if not name
            else f"is longer than {LONGEST_NAME} characters"
            if len(name) > LONGEST_NAME
            else "may have lower-case letters, digits and hyphens only"
            if not _NAME.fullmatch(name)
            else next((f'contains the reserved word "{word}"' for word in RESERVED if word in name), None)
        )
        if wrong:
            yield _problem(skill, f"The name in {skill.path} {wrong}", "Choose another name.")


@rule(
    "SKILL-DESCRIPTION",
    Severity.SHOULD,
    Layer.FOLDER,
    bad=folder({_AT: SKILL.replace("description: Takes an order.\n", "")}),
    good=folder(),
)
def skills_are_described(use_case: UseCase) -> Iterator[Problem]:
    """A skill says in at most 1,024 characters what it is for: that is what an agent chooses by."""
    for skill, front in _readable(use_case):
        description = front.get("description", "")
        if not description:
            yield _problem(skill, f"{skill.path} has no description", "Say what it does and when to use it.")
        elif len(description) > LONGEST_DESCRIPTION:
            yield _problem(
                skill,
                f"The description in {skill.path} is longer than {LONGEST_DESCRIPTION} characters",
                "Shorten it.",
                Severity.MUST,
            )


@rule(
    "SKILL-WORKFLOW-REF",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({_AT: SKILL.replace("workflowTemplateId: main", "workflowTemplateId: gone")}),
    good=folder(),
)
def skills_lead_to_workflows(use_case: UseCase) -> Iterator[Problem]:
    """A skill names a workflow of the use case."""
    for skill, front in _readable(use_case):
        id_ = front.get("workflowTemplateId", "")
        declared = use_case.by_id.get(id_)
        file = use_case.file_of(declared) if declared else f"workflows/{id_}.json"
        if not id_:
            yield _problem(skill, f"{skill.path} names no workflow", "Add workflowTemplateId.")
        elif file not in use_case.files:
            yield _problem(
                skill, f'{skill.path} names the workflow "{id_}", which does not exist', "Correct it."
            )


@rule(
    "SKILL-DUPLICATE",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"skills/again/SKILL.md": SKILL}),
    good=folder(),
)
def skills_differ(use_case: UseCase) -> Iterator[Problem]:
    """No two skills have the same name, or lead to the same workflow."""
    readable = list(_readable(use_case))
    for key in ("name", "workflowTemplateId"):
        counts = Counter(front[key] for _, front in readable if front.get(key))
        seen: set[str] = set()
        for skill, front in readable:
            value = front.get(key, "")
            if counts[value] > 1 and value in seen:
                yield _problem(skill, f'{skill.path} repeats the {key} "{value}"', "Each must be its own.")
            seen.add(value)

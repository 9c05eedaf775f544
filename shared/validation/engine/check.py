"""Runs rules over a workflow file, and over the files of a use case."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from shared.validation.engine.finding import Finding, Problem, Severity
from shared.validation.engine.rule import Layer, Rule
from shared.validation.engine.selection import Selection
from shared.validation.engine.source import NotJson, Source
from shared.validation.engine.workflow import Workflow
from shared.validation.rules.shape import misshapen
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

Subject = TypeVar("Subject")

NOT_A_WORKFLOW = "JSON-001"
LONGEST_MESSAGE = 2000
"""Characters."""
MOST_PROBLEMS = 1000
"""That are told of one file by one rule which cannot mend them."""
_EVERYTHING = Selection()


def check_workflow(text: str, path: str, selection: Selection = _EVERYTHING) -> list[Finding]:
    """Return what the rules say of a workflow file, in their order. Never raises, whatever the text."""
    return _checked(Source(path, text), selection, selection.chosen(WORKFLOW_RULES))


def _checked(source: Source, selection: Selection, chosen: Sequence[Rule[Workflow]]) -> list[Finding]:
    try:
        data = source.data
    except NotJson as error:
        return [_not_a_workflow(source, Problem(f"The file is no JSON: {error}"), selection)]
    wrong = list(itertools.islice(misshapen(data), MOST_PROBLEMS))
    if wrong or not isinstance(data, dict):
        return [_not_a_workflow(source, problem, selection) for problem in wrong]
    workflow = Workflow(source, data)
    if source.fault is None:
        return list(findings_of(chosen, workflow, source, selection))
    # Rules about content look at the text as it will be deployed, and only JSON will be.
    graph = [rule for rule in chosen if rule.layer is not Layer.CONTENT]
    said = Problem(f"The file is YAML, and no JSON ({source.fault}): n8n, and deploying, take JSON alone")
    note = [_not_a_workflow(source, said, selection, Severity.NIT)]
    left = [] if selection.leaves_out(NOT_A_WORKFLOW) else note
    return [*left, *findings_of(graph, workflow, source, selection)]


def _not_a_workflow(
    source: Source, problem: Problem, selection: Selection, severity: Severity = Severity.MUST
) -> Finding:
    return _placed(source, NOT_A_WORKFLOW, severity, problem, selection)


def check_use_case(
    files: Mapping[str, str], path: str, selection: Selection = _EVERYTHING, *, workflows: bool = True
) -> list[Finding]:
    """Return what the rules say of a use case: of the whole, and unless told otherwise of each workflow file.

    ``files`` holds the texts of its files by path below the folder. Never raises, whatever the texts.
    """
    from shared.validation.rules.folder_rules import FOLDER_RULES
    from shared.validation.usecase.from_folder import use_case_of

    use_case = use_case_of(files)
    rules = selection.chosen(FOLDER_RULES)
    found = list(findings_of(rules, use_case, Source(path, ""), selection, use_case.source))
    about_workflows = selection.chosen(WORKFLOW_RULES)
    for file in use_case.workflow_files if workflows else ():
        name = file.removeprefix("workflows/")
        own = _checked(use_case.source(file), selection, about_workflows)
        found += [finding._replace(message=f"[{name}] {finding.message}") for finding in own]
    return found


def findings_of(
    rules: Iterable[Rule[Subject]],
    subject: Subject,
    source: Source,
    selection: Selection,
    others: Callable[[str], Source] | None = None,
) -> Iterator[Finding]:
    """Yield what rules say of a subject; a rule that breaks says so itself.

    ``others`` are the files that a problem may be in besides ``source``, by path.
    """
    for rule in rules:
        try:
            # What can be mended is, however much there is of it.
            for problem in itertools.islice(rule.check(subject), None if rule.fixable else MOST_PROBLEMS):
                at = others(problem.path) if others and problem.path is not None else source
                yield _placed(at, rule.id, rule.severity, problem, selection)
        except Exception as error:  # noqa: BLE001 - a broken rule must not hide what the others say
            if not selection.leaves_out(_broken(rule)):
                said = Problem(f"{rule.id} failed: {error!r}")
                yield _placed(source, _broken(rule), Severity.NIT, said, selection)


def _broken(rule: Rule[Any]) -> str:
    return "SCRIPT-ERR" if rule.layer in (Layer.CONTENT, Layer.FOLDER) else "RULE-ERR"


def _placed(
    source: Source, rule_id: str, severity: Severity, problem: Problem, selection: Selection
) -> Finding:
    line = column = None
    if problem.offset is not None:
        line, column = source.line_column(problem.offset)
    elif problem.pointer is not None:
        line, column = source.line_column(source.start(problem.pointer))
    return Finding(
        rule=rule_id,
        severity=selection.severity(rule_id, problem.severity or severity),
        path=source.path,
        message=_clipped(problem.message),
        details=problem.details,
        pointer=problem.pointer,
        line=line,
        column=column,
        node_id=problem.node_id,
        edit=problem.edit,
        corrected=problem.corrected,
    )


def _clipped(message: str) -> str:
    """Return a message that can be shown, however long what it names is."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"

"""Runs rules over a workflow file, and over the files of a use case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
_EVERYTHING = Selection()
_NO_FILES: Mapping[str, str] = {}


def check_workflow(text: str, path: str, selection: Selection = _EVERYTHING) -> list[Finding]:
    """Return what the rules say of a workflow file, in their order. Never raises, whatever the text."""
    return _checked(Source(path, text), selection)


def _checked(source: Source, selection: Selection) -> list[Finding]:
    try:
        data = source.data
    except NotJson as error:
        return [
            _placed(
                source, NOT_A_WORKFLOW, Severity.MUST, Problem(f"The file is no JSON: {error}"), selection
            )
        ]
    wrong = list(misshapen(data))
    if wrong or not isinstance(data, dict):
        return [_placed(source, NOT_A_WORKFLOW, Severity.MUST, problem, selection) for problem in wrong]
    workflow = Workflow(source, data)
    return list(findings_of(selection.chosen(WORKFLOW_RULES), workflow, source, selection))


def check_use_case(
    files: Mapping[str, str], path: str, selection: Selection = _EVERYTHING, *, workflows: bool = True
) -> list[Finding]:
    """Return what the rules say of a use case: of the whole, and unless told otherwise of each workflow file.

    ``files`` holds the texts of its files by path below the folder. Never raises, whatever the texts.
    """
    from shared.validation.rules.folder_rules import FOLDER_RULES
    from shared.validation.usecase.from_folder import use_case_of

    use_case = use_case_of(files)
    found = list(findings_of(selection.chosen(FOLDER_RULES), use_case, Source(path, ""), selection, files))
    for file in use_case.workflow_files if workflows else ():
        found += _checked(use_case.source(file), selection)
    return found


def findings_of(
    rules: Iterable[Rule[Subject]],
    subject: Subject,
    source: Source,
    selection: Selection,
    files: Mapping[str, str] = _NO_FILES,
) -> Iterator[Finding]:
    """Yield what rules say of a subject; a rule that breaks says so itself."""
    for rule in rules:
        try:
            for problem in rule.check(subject):
                at = source if problem.path is None else Source(problem.path, files.get(problem.path, ""))
                yield _placed(at, rule.id, rule.severity, problem, selection)
        except Exception as error:  # noqa: BLE001 - a broken rule must not hide what the others say
            yield _placed(
                source, _broken(rule), Severity.NIT, Problem(f"{rule.id} failed: {error!r}"), selection
            )


def _broken(rule: Rule[Any]) -> str:
    return "SCRIPT-ERR" if rule.layer is Layer.CONTENT else "RULE-ERR"


def _placed(
    source: Source, rule_id: str, severity: Severity, problem: Problem, selection: Selection
) -> Finding:
    line = column = None
    if problem.offset is not None:
        line, column = source.line_column(problem.offset)
    elif problem.pointer is not None and source.is_json:
        line, column = source.line_column(source.span(problem.pointer).start)
    return Finding(
        rule=rule_id,
        severity=selection.severity(rule_id, problem.severity or severity),
        path=source.path,
        message=problem.message,
        details=problem.details,
        pointer=problem.pointer,
        line=line,
        column=column,
        node_id=problem.node_id,
        edit=problem.edit,
    )

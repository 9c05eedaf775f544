"""The documentation of the rules, made from the rules: what they demand, and an example of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.finding import Finding
from shared.validation.engine.fix import unified_diff
from shared.validation.engine.rule import Layer, Rule
from shared.validation.engine.selection import ALIASES, Selection
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

_HEAD = """# Rules for workflows and use cases

Generated from the rules by `make artefacts`; do not edit. Every example is run by the tests.

`./podium verify PATH …` checks workflow files and folders of use cases by these rules and exits with 0 when
nothing is found that *must* not be, with 1 otherwise, and with 2 when there is nothing to verify. `--fix`
mends what is fixable, and changes nothing else in a file; `--fix --dry-run` shows it as a diff. `--rules` and
`--exclude-rules` take ids or other names, in any case; rules that do not run by default run when they are
named. `DEFAULT`, `GUIDE` and `ALL` stand for many: `--rules DEFAULT,GUIDE` adds what the guides advise.
`--severity RULE=nit` says how much a rule's findings matter, `--strict` makes every *should* a *must*.
How far the npm client agrees is told in [performance.md](performance.md).

A file is first of all a workflow: what is not is told by one of these, and no rule looks at it. YAML is read
where JSON is not, and told by JSON-001 as a nit: n8n, and deploying, take JSON alone.

| id | |
| --- | --- |
| FILE-001, FILE-002 | A workflow file does not exist, or cannot be read. |
| FOLDER-001 | A folder does not exist. |
| JSON-001 | A file is no JSON, or no workflow: nodes, connections, names, types, and what they lead to. |
| RULE-ERR, SCRIPT-ERR | A rule failed; a fault of ours, and only a nit. |
"""
_LAYERS: Mapping[Layer, str] = {
    Layer.LINT: "What any n8n workflow should keep to",
    Layer.GRAPH: "What makes a workflow one that the platform can start and follow",
    Layer.CONTENT: "What stands in a workflow file",
    Layer.FOLDER: "What the files of a use case must agree on",
    Layer.GUIDE: "What the guides advise",
}


def page() -> str:
    """Return ``docs/rules.md``."""
    rules: list[Rule[Any]] = [*WORKFLOW_RULES, *FOLDER_RULES]
    parts = [_HEAD]
    for layer, title in _LAYERS.items():
        own = [rule for rule in rules if rule.layer is layer]
        if own:
            parts += [f"## {title}\n", _table(own), *(_section(rule) for rule in own)]
    return "\n".join(parts)


def _table(rules: list[Rule[Any]]) -> str:
    rows = [
        f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity.value} | {_yes(rule.fixable)} "
        f"| {_yes(not rule.excluded)} |\n"
        for rule in rules
    ]
    return "| rule | severity | fixable | by default |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _section(rule: Rule[Any]) -> str:
    others = [alias for alias, id_ in ALIASES.items() if id_ == rule.id]
    facts = [
        rule.severity.value,
        f"layer {rule.layer.value}",
        "fixable" if rule.fixable else "not fixable",
        "runs when it is named" if rule.excluded else "runs by default",
        *([f"also called {', '.join(others)}"] if others else []),
    ]
    return f"### {rule.id}\n\n*{' · '.join(facts)}*\n\n{rule.doc}\n\n{_example(rule)}"


def _example(rule: Rule[Any]) -> str:
    bad, good = rule.bad(), rule.good()
    said = "".join(f"> {_told(found)}\n" for found in shown(rule, bad))
    return f"{said}\nFrom bad to good:\n\n```diff\n{''.join(_differences(bad, good))}```\n"


def shown(rule: Rule[Any], files: Mapping[str, str]) -> list[Finding]:
    """Return what a rule, and no other, says of an example."""
    only = Selection(include=(rule.id,))
    if rule.layer is Layer.FOLDER:
        return check_use_case(files, ".", only, workflows=False)
    return [found for name, text in files.items() for found in check_workflow(text, name, only)]


def _told(found: Finding) -> str:
    at = f"{found.path}:{found.line}:{found.column}" if found.line else found.path
    details = f"  \n> {found.details}" if found.details else ""
    return f"`{at}` {found.message}{details}"


def _differences(bad: Mapping[str, str], good: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*bad, *good)):
        diff = unified_diff(name, bad.get(name, ""), good.get(name, ""))
        lines = diff.splitlines(keepends=True)
        yield from [f"--- {name} (bad)\n", f"+++ {name} (good)\n", *lines[2:]] if lines else []

"""What the author asks for."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from shared.validation.engine.finding import Severity
from shared.validation.engine.selection import Selection, primary

_ABOUT = "Check workflow files, and folders of use cases, as they are checked when they are deployed."
_ONLY = "only these, by commas; DEFAULT, GUIDE and ALL stand for many"
_CODES = "Exits with 0 when everything is valid, 1 when it is not, 2 when there is nothing to verify."


class Given(NamedTuple):
    """The command line, read."""

    paths: list[str]
    selection: Selection
    fix: bool
    dry_run: bool
    json: bool
    sarif: bool
    skip_workflows: bool


def given_by(arguments: list[str] | None) -> Given:
    """Return what the command line says; ends the process with code 2 when it makes no sense."""
    parser = _parser()
    read = parser.parse_args(arguments)
    severities: dict[str, Severity] = dict(read.severity)
    named = [*read.rules, *read.exclude_rules, *severities]
    if named:
        _refuse_unknown(parser, named)
    if read.dry_run and not read.fix:
        parser.error("--dry-run shows what --fix would do: give both")
    by_id = {primary(name): severity for name, severity in severities.items()}
    selection = Selection(read.rules, read.exclude_rules, read.strict, by_id)
    return Given(read.paths, selection, read.fix, read.dry_run, read.json, read.sarif, read.skip_workflows)


def _refuse_unknown(parser: argparse.ArgumentParser, named: list[str]) -> None:
    from shared.validation.rules.names import unknown_names

    if unknown := unknown_names(named):
        parser.error(f"no rule is called {', '.join(unknown)}; docs/rules.md lists them")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="verify", description=_ABOUT, epilog=_CODES)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a workflow file, or the folder of a use case"
    )
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: show a diff, change nothing")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--sarif", action="store_true", help="write SARIF 2.1.0, which code hosts show")
    parser.add_argument("--strict", action="store_true", help="should counts as must")
    parser.add_argument("--rules", type=_names, default=[], metavar="LIST", help=_ONLY)
    parser.add_argument(
        "--exclude-rules", type=_names, default=[], metavar="LIST", help="not these, by commas"
    )
    parser.add_argument(
        "--severity",
        type=_severity,
        action="append",
        default=[],
        metavar="RULE=SEVERITY",
        help="how much a rule's findings matter: must, should or nit; repeatable",
    )
    parser.add_argument("--skip-workflows", action="store_true", help="of a folder, not each workflow file")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _severity(text: str) -> tuple[str, Severity]:
    name, _, severity = text.partition("=")
    try:
        return name, Severity(severity.strip().lower())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not RULE=must, RULE=should or RULE=nit") from None

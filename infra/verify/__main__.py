"""``python -m infra.verify PATH [--fix [--dry-run]] [--json | --sarif] …``.

Exits with 0 when everything is valid, 1 when it is not, 2 when there is nothing to verify.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from infra.verify.files import NothingToVerify, read
from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.finding import Finding, Severity
from shared.validation.engine.fix import Fixed, fix_use_case, fix_workflow, unified_diff
from shared.validation.engine.report import as_json, as_sarif, as_text, is_valid
from shared.validation.engine.selection import Selection
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES


def main(arguments: list[str] | None = None) -> int:
    """Check what is there, mend it if asked to, say what is left, and return the exit code."""
    given = _arguments(arguments)
    selection = Selection(given.rules, given.exclude_rules, given.strict, dict(given.severity))
    try:
        files, is_folder = read(given.path)
    except NothingToVerify as error:
        print(f"verify: {error}", file=sys.stderr)
        return 2
    if given.fix:
        return _fixed(given, files, is_folder, selection)
    if is_folder:
        found = check_use_case(files, str(given.path), selection, workflows=not given.skip_workflows)
    else:
        (text,) = files.values()
        found = check_workflow(text, str(given.path), selection)
    print(_written(given, found, list(files)))
    return 0 if is_valid(found) else 1


def _fixed(given: argparse.Namespace, files: dict[str, str], is_folder: bool, selection: Selection) -> int:
    if is_folder:
        fixed = fix_use_case(files, str(given.path), selection, workflows=not given.skip_workflows)
    else:
        (name,) = files
        one = fix_workflow(files[name], str(given.path), selection)
        fixed = Fixed({name: one.texts[str(given.path)]}, one.mended, one.left)
    changed = [name for name, text in fixed.texts.items() if text != files[name]]
    root = given.path if is_folder else given.path.parent
    if given.dry_run:
        for name in changed:
            sys.stdout.write(unified_diff(name, files[name], fixed.texts[name]))
    else:
        for name in changed:
            (root / name).write_text(fixed.texts[name], encoding="utf-8", newline="")
    if given.dry_run and not given.json:
        print(f"{len(fixed.mended)} findings would be fixed in {len(changed)} files", file=sys.stderr)
    else:
        print(_written(given, list(fixed.left), list(files), fixed=len(fixed.mended), filesChanged=changed))
    return 0 if is_valid(fixed.left) else 1


def _written(given: argparse.Namespace, found: list[Finding], files: list[str], **more: object) -> str:
    if given.json:
        return as_json(str(given.path), found, files, **more)
    if given.sarif:
        return as_sarif(found, [*WORKFLOW_RULES, *FOLDER_RULES])
    return as_text(found, colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name.strip()]


def _severity(text: str) -> tuple[str, Severity]:
    name, _, severity = text.partition("=")
    return name.strip().upper(), Severity(severity.strip().lower())


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.verify", description=__doc__)
    parser.add_argument("path", type=Path, help="a workflow file, or the folder of a use case")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: show it as a diff")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--sarif", action="store_true", help="write SARIF 2.1.0, for code hosts")
    parser.add_argument("--strict", action="store_true", help="should counts as must")
    parser.add_argument("--rules", type=_names, default=[], help="only these rules, by commas")
    parser.add_argument("--exclude-rules", type=_names, default=[], help="not these rules, by commas")
    parser.add_argument(
        "--severity", type=_severity, action="append", default=[], help="RULE=must, should or nit; repeatable"
    )
    parser.add_argument("--skip-workflows", action="store_true", help="of a folder, not each workflow file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

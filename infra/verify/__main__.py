"""``python -m infra.verify PATH … [--fix [--dry-run]] [--json | --sarif] …``.

Exits with 0 when everything is valid, 1 when it is not, 2 when there is nothing to verify.
"""

from __future__ import annotations

import gc
import io
import os
import sys

from infra.verify.arguments import Given, given_by
from infra.verify.files import NothingToVerify, Target, target_at
from infra.verify.told import Told, told_as
from shared.validation.engine.check import check_use_case, check_workflow
from shared.validation.engine.finding import Finding
from shared.validation.engine.report import is_valid


def main(arguments: list[str] | None = None) -> int:
    """Check what is there, mend it if asked to, say what is left, and return the exit code."""
    given = given_by(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What stands in files is told as it stands, wherever it is told.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    told = Told([], [])
    try:
        for path in given.paths:
            told.add(_mended(given, target_at(path)) if given.fix else _checked(given, target_at(path)))
    except NothingToVerify as error:
        print(f"verify: {error}", file=sys.stderr)
        if given.json:
            print(told_as(given, Told([*told.left, error.finding], told.files)))
        return 2
    print(told_as(given, told))
    return 0 if is_valid(told.left) else 1


def _checked(given: Given, target: Target) -> Told:
    if target.is_folder:
        found = check_use_case(target.files, target.path, given.selection, workflows=not given.skip_workflows)
    else:
        ((name, text),) = target.files.items()
        found = check_workflow(text, name, given.selection)
    return Told(_placed(target, found), target.names)


def _mended(given: Given, target: Target) -> Told:
    from shared.validation.engine.fix import fix_use_case, fix_workflow, unified_diff

    if target.is_folder:
        fixed = fix_use_case(target.files, target.path, given.selection, workflows=not given.skip_workflows)
    else:
        ((name, text),) = target.files.items()
        fixed = fix_workflow(text, name, given.selection)
    changed = [name for name, text in fixed.texts.items() if text != target.files[name]]
    if not given.dry_run:
        for name in changed:
            target.write(name, fixed.texts[name])
    return Told(
        _placed(target, fixed.left),
        target.names,
        _placed(target, fixed.mended),
        [target.name(name) for name in changed],
        "".join(unified_diff(target.name(name), target.files[name], fixed.texts[name]) for name in changed),
    )


def _placed(target: Target, findings: list[Finding] | tuple[Finding, ...]) -> list[Finding]:
    """Return findings with paths that lead to their files from where the command was given."""
    return [finding._replace(path=target.name(finding.path)) for finding in findings]


if __name__ == "__main__":
    # What is read is needed until the end: looking for what is not would only take time.
    gc.disable()
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough, e.g. head; Python would complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)

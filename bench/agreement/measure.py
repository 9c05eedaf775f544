"""``python -m bench agreement``: our rules beside the CLI's over the same generated files."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.agreement.cli import Cli, cli
from bench.agreement.compare import Agreement, compare_folder, compare_workflows
from bench.agreement.corpus import folders, workflows, write
from bench.figures import Section, Target
from shared.validation.engine.fix import fix_workflow
from shared.validation.engine.selection import Selection

SEED = 7
WORKFLOWS = {"small": 500, "full": 2000}
FOLDERS = {"small": 40, "full": 200}


def measure(size: str) -> list[Section]:
    """Return two sections: the agreement by rule, and what fixes of both come to."""
    root = Path(tempfile.mkdtemp(prefix="podium-agreement-"))
    try:
        program = cli(root / "home")
        agreement = compared(program, root, WORKFLOWS[size], FOLDERS[size], scaffold=_scaffold(program, root))
        return [_section(agreement), fixes(program, root / "fixes", workflows(SEED, WORKFLOWS[size]))]
    finally:
        shutil.rmtree(root, ignore_errors=True)


def compared(
    program: Cli, root: Path, many: int, folder_count: int, scaffold: Path | None = None
) -> Agreement:
    """Return what both find in generated files below ``root``."""
    agreement = Agreement()
    compare_workflows(agreement, program, root / "files", workflows(SEED, many))
    for name, files in folders(SEED, folder_count, scaffold).items():
        compare_folder(agreement, program, root / "cases" / name, files)
    for found in agreement.unexplained:
        side = "only ours" if found.ours else "only the CLI"
        print(f"unexplained: {found.rule} in {found.where}, {side}", file=sys.stderr)
    return agreement


def _scaffold(program: Cli, root: Path) -> Path | None:
    folder = root / "scaffold"
    program.run("init", str(folder), "--name", "Scaffold", "--no-install", "--no-project")
    return folder if (folder / "config.ts").exists() else None


def _section(agreement: Agreement) -> Section:
    reasons = Counter(found.why or "**not explained**" for found in agreement.differences)
    known = " ".join(f"{why} ({count})" for why, count in reasons.most_common())
    return Section(
        "agreement",
        "What the rules find, beside the CLI's",
        f"{agreement.subjects} workflow files and folders: every rule's examples, the repository's, the "
        f"CLI's scaffold, and files made from them by one to six random changes, seed {SEED}. Counted are "
        f"files in which a rule finds something. Differences that are meant: {known or 'none'}",
        ("rule", "both", "only ours", "only the CLI"),
        tuple(agreement.rows()),
        (Target("differences that nothing explains", float(len(agreement.unexplained)), 0.0),),
    )


def fixes(program: Cli, folder: Path, texts: dict[str, str]) -> Section:
    """Return how often both mend a file the same way, byte for byte, layout left alone."""
    write(folder, {f"workflows/{name}": text for name, text in texts.items()})
    program.run("verify", "use-case", str(folder), "--fix", "--exclude-rules", "WORKFLOW-FORMAT")
    only = Selection(exclude=("WORKFLOW-FORMAT",))
    came: Counter[str] = Counter()
    for name, text in texts.items():
        ours = fix_workflow(text, name, only).texts[name]
        theirs = (folder / "workflows" / name).read_text(encoding="utf-8")
        came[_came_to(text, ours, theirs)] += 1
    return Section(
        "fixes",
        "What fixes come to, beside the CLI's",
        "The same workflow files, mended by both with every rule but the one of the layout. The CLI writes "
        "a file anew when it mends one thing in it, ours changes that thing: so they are equal in bytes "
        "where the file was laid out canonically. Different: ours looks again after each fix, and mends "
        "files with bare placeholders.",
        ("files", "count"),
        tuple(came.most_common()),
        (),
    )


def _came_to(before: str, ours: str, theirs: str) -> str:
    if ours == theirs:
        return "nothing to mend" if ours == before else "equal, byte for byte"
    try:
        same = json.loads(ours) == json.loads(theirs)
    except ValueError:
        same = False
    return "equal but for the layout" if same else "different"

"""An example's folder, read as the CLI reads it: its ``config.ts`` run by Node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.stack.addresses import ROOT

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/config.ts"))

_PRINT_CONFIGURATION = """
const { getConfiguration } = await import(process.argv[1]);
process.stdout.write(JSON.stringify(getConfiguration()));
"""


@dataclass(frozen=True, slots=True)
class UseCase:
    folder: Path
    configuration: Mapping[str, object]

    def payload(self, name: str) -> object:
        return json.loads((self.folder / "payloads" / f"{name}.json").read_text())

    def skills(self) -> list[dict[str, object]]:
        return [self._skill(path) for path in sorted(self.folder.glob("skills/*/SKILL.md"))]

    def _skill(self, path: Path) -> dict[str, object]:
        text = path.read_text()
        front = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines())
        relative = path.relative_to(self.folder).as_posix()
        return {**front, "contentMarkdown": text, "relativePath": relative}


async def load(node: Path, name: str) -> UseCase:
    folder = ROOT / "examples" / name
    process = await asyncio.create_subprocess_exec(
        node,
        "--input-type=module",
        "--eval",
        _PRINT_CONFIGURATION,
        folder / "config.ts",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return UseCase(folder, json.loads(out))

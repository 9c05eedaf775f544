"""The npm CLI's ``verify``, as it is published."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.stack.client import installed_cli

_LINT = """
import { parseN8n, runAllRules, defaultConfig } from "%(core)s";
import { readFileSync, writeFileSync } from "node:fs";
const found = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync("%(given)s", "utf-8")))) {
  try {
    found[name] = runAllRules(parseN8n(text), { cfg: defaultConfig, path: name }).map(({ rule }) => rule);
  } catch {
    found[name] = [];
  }
}
writeFileSync("%(said)s", JSON.stringify(found));
"""


class Cli(NamedTuple):
    """The command that starts it, and the folder that is its home."""

    command: tuple[str, ...]
    home: Path

    def report(self, folder: Path, *more: str) -> Any:
        """Return what ``verify use-case`` tells of a folder, as parsed."""
        said = self.home / "said.json"
        # To a file: what it writes into a pipe is cut off at its end.
        with said.open("w") as out:
            self.run("verify", "use-case", str(folder), "--json", *more, out=out)
        return json.loads(said.read_text(encoding="utf-8"))

    def lint(self, texts: Mapping[str, str]) -> dict[str, set[str]]:
        """Return the rules of the linter it comes with that find something, by file.

        The CLI leaves some of them out even when they are named.
        """
        given, said = self.home / "texts.json", self.home / "lint.json"
        given.write_text(json.dumps(texts), encoding="utf-8")
        core = next(Path(part) for part in reversed(self.command)).parents[3] / "@replikanti/flowlint-core"
        script = _LINT % {"core": (core / "dist/index.mjs").as_uri(), "given": given, "said": said}
        subprocess.run([self.command[0], "--input-type=module", "-e", script], check=True)
        return {name: set(rules) for name, rules in json.loads(said.read_text(encoding="utf-8")).items()}

    def run(self, *arguments: str, out: Any = subprocess.DEVNULL) -> int:
        """Run a command and return its exit code."""
        environment = {**os.environ, "HOME": str(self.home), "NO_COLOR": "1", "NODE_NO_WARNINGS": "1"}
        return subprocess.run(
            [*self.command, *arguments], env=environment, stdout=out, stderr=subprocess.DEVNULL, check=False
        ).returncode


def cli(home: Path) -> Cli:
    """Return the CLI, downloaded if it is not there yet."""
    home.mkdir(parents=True, exist_ok=True)
    return Cli(tuple(str(part) for part in installed_cli()), home)

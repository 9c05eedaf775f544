"""``python -m infra.artefacts [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from functions import load_all
from shared.executions.errors.page import page
from shared.http.artefacts.firebase import hosting
from shared.http.artefacts.functions import function_map
from shared.http.artefacts.openapi import openapi
from shared.http.artefacts.targets import module_map
from shared.http.declaration import REGISTRY
from shared.http.examples import read_examples
from shared.services.queues import queue_map
from shared.settings import Settings, read_settings
from shared.validation.page import page as rules

ROOT = Path(__file__).resolve().parents[2]
REGION = "europe-west1"
VERSION = "0.1.0"


def artefacts() -> dict[Path, str]:
    """Return the content of every generated file."""
    load_all()
    endpoints = REGISTRY.all()
    generated: dict[str, object] = {
        "firebase.json": hosting(endpoints, REGION),
        "infra/terraform/functions.json": function_map(endpoints),
        "infra/terraform/queues.json": queue_map(_defaults()),
        "functions/targets.json": module_map(endpoints),
        "docs/openapi.json": openapi(endpoints, VERSION, read_examples(ROOT / "functions" / "examples")),
    }
    written = {ROOT / name: json.dumps(content, indent=2) + "\n" for name, content in generated.items()}
    return written | {ROOT / "docs/errors.md": page(), ROOT / "docs/rules.md": rules()}


def _defaults() -> Settings:
    return read_settings({"GOOGLE_CLOUD_PROJECT": "podium", "PUBLIC_BASE_URL": "https://podium.example"})


def main() -> int:
    """Write the files, or with ``--check`` report those that differ; return the exit code."""
    parser = argparse.ArgumentParser(prog="infra.artefacts")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [path for path, text in artefacts().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make artefacts`", file=sys.stderr)
        else:
            path.write_text(artefacts()[path])
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

"""Each Google service has one importer (import-linter cannot tell them apart)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWNERS = {
    "google.cloud.firestore": "shared/store",
    "google.cloud.tasks": "shared/tasks",
    "google.cloud.secretmanager": "shared/vault",
}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(("package", "owner"), OWNERS.items())
def test_a_google_service_is_imported_by_its_owner_alone(package: str, owner: str) -> None:
    importers = {
        str(path.relative_to(ROOT).parent)
        for folder in ("functions", "shared")
        for path in (ROOT / folder).rglob("*.py")
        if any(name == package or name.startswith((f"{package}.", f"{package}_")) for name in _imports(path))
    }
    assert importers == {owner}

"""Each Google service has one importer (import-linter cannot tell them apart)."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

from tests.support.sources import Source, sources

OWNERS = {
    "google.cloud.firestore": "shared/store",
    "google.cloud.tasks": "shared/tasks",
    "google.cloud.secretmanager": "shared/vault",
}


def _imports(source: Source) -> set[str]:
    names: set[str] = set()
    for node in source.nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(("package", "owner"), OWNERS.items())
def test_a_google_service_is_imported_by_its_owner_alone(package: str, owner: str) -> None:
    importers = {
        str(PurePosixPath(source.name).parent)
        for source in sources()
        if any(
            name == package or name.startswith((f"{package}.", f"{package}_")) for name in _imports(source)
        )
    }
    assert importers == {owner}

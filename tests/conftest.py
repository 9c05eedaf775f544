"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("podium", deadline=None, max_examples=50)
# Every run draws other examples; before a release: pytest --hypothesis-profile thorough tests/unit
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("podium")

_ONE_STACK = ("chaos", "e2e")
"""Folders whose tests share one running stack."""
_ONE_SERVER = "contract"
"""The folder whose folders share one server each."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Keep together, when tests are spread over processes, what shares a server that is slow to start."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path)))


def _group(path: Path) -> str:
    folder, *below = path.relative_to(Path(__file__).parent).parts
    if folder in _ONE_STACK:
        return folder
    return f"{folder}/{below[0]}" if folder == _ONE_SERVER else str(path)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stack.takedown import take_down
from tests.integration.stack.tiny import TinyParts, raise_stack, tiny_stack


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    take_down(folder)


@pytest.fixture
def running(state: Path) -> TinyParts:
    """A tiny stack that is up below ``state``."""
    stack, parts = tiny_stack(state)
    assert raise_stack(stack, parts)
    return parts

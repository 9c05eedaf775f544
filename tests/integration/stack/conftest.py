from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stack.progress import Progress
from infra.local.stack.takedown import take_down
from infra.local.stack.up import bring_up
from tests.integration.stack.tiny import TinyParts, tiny_stack


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    take_down(folder)


@pytest.fixture
def running(state: Path) -> TinyParts:
    """A tiny stack that is up below ``state``."""
    stack, parts = tiny_stack(state)
    assert bring_up(stack, parts, Progress(3, io.StringIO()))
    return parts

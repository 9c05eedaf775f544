from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_the_page_names_exists() -> None:
    page = (ROOT / "docs/tasks-and-secrets.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    written = {
        name
        for folder in ("tasks", "secrets")
        for file in (ROOT / "tests/contract" / folder).glob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 20
    assert named <= written

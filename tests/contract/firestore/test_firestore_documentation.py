from __future__ import annotations

import re

from tests.contract.firestore.servers import ROOT


def test_every_test_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/firestore.md").read_text()))
    files = (ROOT / "tests/contract/firestore").glob("test_*.py")
    written = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 20
    assert named <= written

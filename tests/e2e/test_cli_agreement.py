"""Our rules and the npm CLI's find the same in the same files, but for what is declared."""

from __future__ import annotations

from pathlib import Path

from bench.agreement.cli import cli
from bench.agreement.measure import compared


def test_nothing_differs_from_the_cli_that_is_not_declared(tmp_path: Path) -> None:
    agreement = compared(cli(tmp_path / "home"), tmp_path, many=20, folder_count=0)

    assert agreement.unexplained == []
    assert sum(agreement.both.values()) > 40

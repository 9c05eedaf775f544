from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from infra.local.stack.venv import Missing, ensure


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text("# nothing to install\n")
    return path


def test_an_environment_is_made_once_and_again_only_for_another_lock(tmp_path: Path, lock: Path) -> None:
    folder = tmp_path / ".venv"
    assert ensure(folder, lock)
    made = (folder / "pyvenv.cfg").stat().st_mtime_ns
    assert not ensure(folder, lock)
    lock.write_text("# another nothing\n")
    assert ensure(folder, lock)
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made, "a working environment is updated in place"
    lock.write_text("no-hash-given==1.0\n")
    with pytest.raises(Missing, match=r"pip cannot install the locked packages: .*hash"):
        ensure(folder, lock)
    lock.write_text("# another nothing\n")
    assert ensure(folder, lock), "a failed attempt does not count as done"


def test_a_python_without_ensurepip_is_named_with_the_package_to_install(
    tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name)
    with pytest.raises(
        Missing, match=r"the ensurepip module .* is missing; .*apt-get install python3\.\d+-venv"
    ):
        ensure(tmp_path / ".venv", lock)
    assert not (tmp_path / ".venv").exists()

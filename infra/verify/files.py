"""The files that are verified, read from disk."""

from __future__ import annotations

from pathlib import Path

_READ = frozenset({"config.ts", "config.js", "project.json"})
_FOLDERS = ("workflows", "skills", "data-ingestion")
_LARGEST = 30 * 1024 * 1024
"""Bytes of one file; a deployment takes no more."""


class NothingToVerify(Exception):
    """There is no such file or folder, or it cannot be read."""


def read(path: Path) -> tuple[dict[str, str], bool]:
    """Return the texts of a file, or of the files that make a use case, by path, and whether it is a folder.

    Raises:
        NothingToVerify
    """
    try:
        if path.is_dir():
            return {name: _text(path / name) for name in _names(path)}, True
        if path.is_file():
            return {path.name: _text(path)}, False
    except OSError as error:
        raise NothingToVerify(f"{path} cannot be read: {error.strerror}") from None
    raise NothingToVerify(f"{path} does not exist")


def _names(root: Path) -> list[str]:
    names = [path.name for path in root.iterdir() if path.name in _READ]
    for folder in _FOLDERS:
        files = (path for path in (root / folder).rglob("*") if path.is_file())
        names += [path.relative_to(root).as_posix() for path in files]
    return sorted(names)


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise NothingToVerify(f"{path} is larger than {_LARGEST} bytes")
    return path.read_bytes().decode(errors="replace")

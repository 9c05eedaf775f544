"""The files that are verified, read from disk and written back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shared.validation.engine.finding import Finding, Severity

_READ = frozenset({"config.ts", "config.js", "project.json"})
_FOLDERS = ("workflows", "skills", "data-ingestion")
_LARGEST = 30 * 1024 * 1024
"""Bytes of one file; a deployment takes no more."""


class NothingToVerify(Exception):
    """There is no such file or folder, or it cannot be read; ``finding`` says so to programs."""

    def __init__(self, rule: str, path: Path | str, problem: str) -> None:
        """Take the rule that says so (platform §23.2), what was to be read, and why it cannot be."""
        super().__init__(f"{path} {problem}")
        self.finding = Finding(rule, Severity.MUST, str(path), f"{path} {problem}")


class Target(NamedTuple):
    """A workflow file, or the folder of a use case; ``files`` are its texts by path below the folder."""

    path: str
    is_folder: bool
    files: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The paths of the files, from where the command was given."""
        return [self.name(name) for name in self.files]

    def name(self, file: str) -> str:
        """Return the path of a file of the target, from where the command was given."""
        return (Path(self.path) / file).as_posix() if self.is_folder and file != self.path else file

    def write(self, file: str, text: str) -> None:
        """Write a file; bytes that are no text stay what they were."""
        # Made first, so that a file is as it was whatever cannot be written.
        content = text.encode(errors="surrogateescape")
        Path(self.name(file)).write_bytes(content)


def target_at(given: str) -> Target:
    """Return the file, or the files that make a use case.

    Raises:
        NothingToVerify
    """
    path = Path(given)
    try:
        if path.is_dir():
            return Target(given, True, {name: _text(f"{given}/{name}") for name in _names(path)})
        if path.is_file():
            return Target(given, False, {given: _text(path)})
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise NothingToVerify("FILE-002", error.filename or given, f"cannot be read: {reason}") from None
    rule = "FILE-001" if path.suffix in (".json", ".yaml", ".yml") else "FOLDER-001"
    raise NothingToVerify(rule, given, "does not exist")


def _names(root: Path) -> list[str]:
    names = [path.name for path in root.iterdir() if path.name in _READ and path.is_file()]
    for folder in _FOLDERS:
        names += _below(root / folder, folder)
    return sorted(names)


def _below(folder: Path | str, name: str) -> Iterator[str]:
    """Yield the files of a folder and of those in it, of links to folders none."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{name}/{entry.name}")
        elif entry.is_file():
            yield f"{name}/{entry.name}"


def _text(path: Path | str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - of hundreds of files, without the time a Path takes
        if os.fstat(file.fileno()).st_size > _LARGEST:
            raise NothingToVerify("FILE-002", path, f"is larger than {_LARGEST} bytes")
        return file.read().decode(errors="surrogateescape")

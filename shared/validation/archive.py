"""The files of a use case in an archive, read in memory and from nobody one trusts. Pure.

Nothing is unpacked to disk, and nothing is read that says it is larger than it may be.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from shared.validation.paths import BadPath, normalised

MOST_BYTES = 20 * 1024 * 1024
"""Of all files together, unpacked."""
MOST_FILES = 2000
FOLDERS = ("workflows", "skills", "data-ingestion")
"""Folders of a use case whose files are looked at."""
FILES = frozenset({"config.ts", "config.js", "project.json"})
"""Files beside them that are."""

_ZIP_ENTRY = b"PK\x01\x02"
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_ENCRYPTED = 0x1
_UNIX_LINK = 0o120000
# What zipfile and tarfile are known to raise for bytes that are no archive.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class BadArchive(Exception):
    """An archive that cannot be read, or that holds what it must not; the text says what."""


class _Entry(NamedTuple):
    path: str
    content: bytes


def files_in(archive: bytes) -> dict[str, str]:
    """Return the texts of a use case's files by path below its folder, in order.

    Takes ZIP, and tar with or without gzip, of the folder itself or of what is in it. Bytes that are no UTF-8
    are kept as surrogates, as the command line reads them.

    Raises:
        BadArchive
    """
    try:
        entries = list(_unzipped(archive) if archive.startswith(_ZIP) else _untarred(_gunzipped(archive)))
    except _BROKEN as error:
        raise BadArchive(f"it is no ZIP and no tar archive, or it is damaged ({error})") from None
    root = _root([entry.path for entry in entries])
    files: dict[str, str] = {}
    for path, content in entries:
        name = path.removeprefix(root)
        if name in files:
            raise BadArchive(f"{name} is in it twice")
        files[name] = content.decode(errors="surrogateescape")
    return {name: files[name] for name in sorted(files) if _is_read(name)}


def _is_read(name: str) -> bool:
    folder, slash, _ = name.partition("/")
    return folder in FOLDERS if slash else name in FILES


def _root(paths: list[str]) -> str:
    """Return the folder that everything is in, if the files of a use case are in one."""
    if any(_is_read(path) for path in paths):
        return ""
    tops = {path.partition("/")[0] for path in paths if "/" in path}
    return f"{tops.pop()}/" if len(tops) == 1 else ""


def _unzipped(archive: bytes) -> Iterator[_Entry]:
    # Counted before zipfile makes an object of each.
    if archive.count(_ZIP_ENTRY) > MOST_FILES:
        raise BadArchive(f"more than {MOST_FILES} files are in it")
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            if entry.is_dir():
                continue
            path = _path(entry.filename)
            if entry.flag_bits & _ENCRYPTED:
                raise BadArchive(f"{path} is encrypted")
            if (entry.external_attr >> 16) & 0o170000 == _UNIX_LINK:
                raise BadArchive(f"{path} is a link")
            with opened.open(entry) as file:
                # What an entry says of its own size is not believed.
                content = file.read(left + 1)
            left -= _weighed(content, left)
            yield _Entry(path, content)


def _untarred(archive: bytes) -> Iterator[_Entry]:
    left, seen = MOST_BYTES, 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
        for entry in opened:
            seen += 1
            if seen > MOST_FILES:
                raise BadArchive(f"more than {MOST_FILES} files are in it")
            if entry.isdir():
                continue
            path = _path(entry.name)
            file = opened.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise BadArchive(f"{path} is neither a file nor a folder")
            content = file.read(left + 1)
            left -= _weighed(content, left)
            yield _Entry(path, content)


def _gunzipped(archive: bytes) -> bytes:
    if not archive.startswith(_GZIP):
        return archive
    # A tar holds little beside its files: headers, and zeros up to the next block.
    most = MOST_BYTES + MOST_FILES * 2048
    content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(archive, most + 1)
    _weighed(content, most)
    return content


def _weighed(content: bytes, left: int) -> int:
    if len(content) > left:
        raise BadArchive(f"its files are larger than {MOST_BYTES // 1024 // 1024} MB together")
    return len(content)


def _path(name: str) -> str:
    try:
        return normalised(name)
    except BadPath as error:
        raise BadArchive(f"the path {name[:200]!r} is not allowed: {error}") from None

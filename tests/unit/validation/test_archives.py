"""Archives that authors send: read in memory, within limits, and refused in words."""

from __future__ import annotations

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.validation.archive import MOST_BYTES, MOST_FILES, BadArchive, files_in

FILES = {"config.ts": "export {}", "workflows/a.json": "{}", "skills/a/SKILL.md": "---\nname: a\n---"}


def zipped(files: dict[str, str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return held.getvalue()


def gzipped(files: dict[str, str]) -> bytes:
    return gzip.compress(tarred(files))


PACKERS = [zipped, tarred, gzipped]
Pack = Callable[[dict[str, str]], bytes]


@pytest.mark.parametrize("pack", PACKERS)
def test_a_folder_comes_out_as_it_went_in_with_or_without_its_own_name(pack: Pack) -> None:
    assert files_in(pack(FILES)) == FILES
    assert files_in(pack({f"my-desk/{name}": text for name, text in FILES.items()})) == FILES


@pytest.mark.parametrize("pack", PACKERS)
def test_what_no_rule_looks_at_is_left_out(pack: Pack) -> None:
    more = {
        "node_modules/x/config.ts": "no",
        "README.md": "no",
        ".env": "SECRET=1",
        "a/workflows/b.json": "no",
    }

    assert files_in(pack({**FILES, **more})) == FILES


@pytest.mark.parametrize("pack", PACKERS)
@pytest.mark.parametrize(
    "name", ["../config.ts", "/config.ts", "workflows/../../a.json", "workflows\\a.json"]
)
def test_a_path_out_of_the_folder_is_refused(pack: Pack, name: str) -> None:
    with pytest.raises(BadArchive, match="is not allowed"):
        files_in(pack({name: "{}"}))


@pytest.mark.parametrize("pack", PACKERS)
def test_what_unpacks_to_more_than_the_limit_is_refused(pack: Pack) -> None:
    half = " " * (MOST_BYTES // 2 + 1)

    with pytest.raises(BadArchive, match="larger than"):
        files_in(pack({"workflows/a.json": half, "workflows/b.json": half}))


def test_bytes_that_unpack_to_gigabytes_are_refused_before_they_do() -> None:
    once = gzip.compress(b"\0" * (MOST_BYTES * 2))

    with pytest.raises(BadArchive, match="larger than"):
        files_in(once)


@pytest.mark.parametrize("pack", PACKERS)
def test_too_many_files_are_refused(pack: Pack) -> None:
    with pytest.raises(BadArchive, match="more than"):
        files_in(pack({f"workflows/{number}.json": "" for number in range(MOST_FILES + 1)}))


def test_a_file_that_is_there_twice_is_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("config.ts", "one")
        # Two spellings of one path: zipfile itself would warn of the same one.
        archive.writestr("./config.ts", "other")

    with pytest.raises(BadArchive, match=r"config\.ts is in it twice"):
        files_in(held.getvalue())


def test_links_and_devices_are_refused() -> None:
    link = zipfile.ZipInfo("config.ts")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadArchive, match="is a link"):
        files_in(held.getvalue())

    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        entry = tarfile.TarInfo("config.ts")
        entry.type, entry.linkname = kind, "/etc/passwd"
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as packed:
            packed.addfile(entry)
        with pytest.raises(BadArchive, match=r"config\.ts"):
            files_in(held.getvalue())


def test_an_encrypted_file_is_refused() -> None:
    archive = bytearray(zipped(FILES))
    # The flag stands in each entry of the directory.
    at = archive.find(b"PK\x01\x02")
    archive[at + 8] |= 1

    with pytest.raises(BadArchive, match="is encrypted"):
        files_in(bytes(archive))


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00"):
        _read_or_refused(prefix + content)


@given(
    st.sampled_from([pack(FILES) for pack in PACKERS]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 10**6),
)
def test_a_damaged_archive_is_read_or_refused(
    archive: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(archive)
    for at, value in changes:
        damaged[at % len(damaged)] = value

    _read_or_refused(bytes(damaged))
    _read_or_refused(bytes(damaged[: length % len(damaged)]))


def _read_or_refused(archive: bytes) -> None:
    files: dict[str, str] = {}
    with contextlib.suppress(BadArchive):
        files = files_in(archive)
    assert all(not name.startswith(("/", "..")) for name in files)

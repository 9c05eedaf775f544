"""Relative paths of source files, as authors send them."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 512
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")


class BadPath(ValueError):
    """The path leaves its folder, or is no path."""


def normalised(path: str) -> str:
    """Return the path in its one canonical spelling: NFC, no ``.`` and no empty segments.

    Raises :class:`BadPath` for absolute paths, ``..``, backslashes, control characters and drive letters.
    """
    path = unicodedata.normalize("NFC", path)
    if not path or len(path) > _LONGEST:
        raise BadPath(f"the path must have 1 to {_LONGEST} characters")
    if path.startswith("/"):
        raise BadPath("the path must be relative")
    if _FORBIDDEN.search(path):
        raise BadPath("the path has forbidden characters")
    segments = [segment for segment in path.split("/") if segment not in ("", ".")]
    if ".." in segments:
        raise BadPath("the path must not contain '..'")
    if not segments or path.endswith("/"):
        raise BadPath("the path names no file")
    return "/".join(segments)

"""The message modules of the client library, without the clients.

Importing ``google.cloud.firestore_v1`` brings the clients of three transports along: 26 MB and a third of
a second that a server has no use for. Where nobody has imported the package yet, a bare one with the same
path stands in for it while the message modules load. They are the library's own and stay in their place,
so the client works in the same process, before or after.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_PACKAGE = "google.cloud.firestore_v1"


def module(name: str) -> ModuleType:
    """The module of message types with this name, such as ``document``."""
    if _PACKAGE in sys.modules:
        return import_module(f"{_PACKAGE}.types.{name}")
    sys.modules[_PACKAGE] = _bare_package()
    try:
        return import_module(f"{_PACKAGE}.types.{name}")
    finally:
        del sys.modules[_PACKAGE]


def _bare_package() -> ModuleType:
    parent = find_spec("google.cloud")
    folders = [] if parent is None else parent.submodule_search_locations or []
    bare = ModuleType(_PACKAGE)
    bare.__path__ = [
        str(path) for path in (Path(folder) / "firestore_v1" for folder in folders) if path.is_dir()
    ]
    return bare

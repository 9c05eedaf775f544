"""The source of every Cloud Function: ``entry_point`` is an endpoint's canonical name.

A target's module is imported when the target is asked for, so that a function loads only what it uses.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# functions-framework loads this file by its path; the packages lie beside its folder.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from functions.targets import load_target


def __getattr__(name: str) -> Any:
    try:
        return load_target(name)
    except KeyError:
        raise AttributeError(name) from None

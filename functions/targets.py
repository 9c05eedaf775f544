"""Which module holds which target. ``targets.json`` is generated from the registry."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from shared.http.endpoint import TARGETS, Target

MODULE_OF: dict[str, str] = json.loads(Path(__file__).with_name("targets.json").read_text())


def load_target(name: str) -> Target:
    """Return the functions-framework target of an endpoint, importing its module only.

    Raises:
        KeyError: there is no such endpoint.
    """
    import_module(f"functions.{MODULE_OF[name]}")
    return TARGETS[name]

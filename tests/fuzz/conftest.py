from __future__ import annotations

from tests.integration.world.fixtures import world

__all__ = ["world"]

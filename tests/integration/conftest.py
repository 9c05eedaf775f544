from __future__ import annotations

from tests.integration.world.fixtures import gateway, installed, own_n8n, world

__all__ = ["gateway", "installed", "own_n8n", "world"]

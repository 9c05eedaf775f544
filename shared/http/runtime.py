"""The platform of this process: opened by the first request, shared by all."""

from __future__ import annotations

from functools import cache

from shared.services.platform import Platform, open_platform
from shared.settings import read_settings


@cache
def platform() -> Platform:
    """Return the process's platform."""
    return open_platform(read_settings())

"""What holds for all tests."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has no types
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # nor has this

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("podium", deadline=None, max_examples=50)
# Every run draws other examples; before a release: pytest --hypothesis-profile thorough tests/unit
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("podium")

_ONE_STACK = ("chaos", "e2e")
"""Folders whose tests share one running stack."""
_ONE_SERVER = "contract"
"""The folder whose folders share one server each."""


class Together(LoadScopeScheduling):  # type: ignore[misc]  # of a class without types
    """Keeps in one process, when tests are spread over several, what shares a server that is slow to start.

    The mark ``xdist_group`` would say the same, but does nothing with pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Schedule by these groups what is run with ``--dist loadgroup``."""
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


def _group(path: str) -> str:
    _, folder, *below = PurePosixPath(path).parts
    if folder in _ONE_STACK:
        return folder
    return f"{folder}/{below[0]}" if folder == _ONE_SERVER else path

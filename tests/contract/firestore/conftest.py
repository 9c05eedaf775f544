from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.cloud import firestore

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.server import Server, serve
from tests.contract.firestore.servers import (
    INDEXES,
    Running,
    async_client,
    close,
    start_google,
    start_ours,
    sync_client,
)


def _google_jar() -> str:
    jar = os.environ.get("FIRESTORE_EMULATOR_JAR", "")
    if not jar or not Path(jar).is_file():
        pytest.skip("FIRESTORE_EMULATOR_JAR does not name the jar of Google's Firestore emulator")
    if shutil.which("java") is None:
        pytest.skip("Google's Firestore emulator needs java")
    return jar


@pytest.fixture(scope="session", params=["ours", "google"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Every server that must behave the same."""
    if request.param == "ours":
        running = start_ours(tmp_path_factory.mktemp("firestore"))
    else:
        running = start_google(_google_jar())
    yield running
    running.stop()


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Our server alone, for what Google's emulator does not do."""
    running = start_ours(tmp_path_factory.mktemp("ours"))
    yield running
    running.stop()


@pytest.fixture
async def db(backend: Running, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[firestore.AsyncClient]:
    """A client of an empty database."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", backend.host)
    client = async_client(backend.host)
    yield client
    await close(client)


@pytest.fixture
async def strict(ours: Running) -> AsyncIterator[firestore.AsyncClient]:
    """A client of an empty database of our server."""
    client = async_client(ours.host)
    yield client
    await close(client)


@pytest.fixture
def blocking(backend: Running) -> Iterator[firestore.Client]:
    """A blocking client of an empty database."""
    with sync_client(backend.host) as client:
        yield client


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Server]:
    """Our server inside the test's own process, with its counters within reach."""
    server = await serve(0, tmp_path / "firestore.db", IndexCatalogue(INDEXES), sweep_seconds=0.1)
    yield server
    await server.stop()


@pytest.fixture
async def near(inside: Server) -> AsyncIterator[firestore.AsyncClient]:
    """A client of the server inside the process."""
    client = async_client(f"127.0.0.1:{inside.port}")
    yield client
    await close(client)

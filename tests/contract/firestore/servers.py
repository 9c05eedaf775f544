"""Starting the servers under test as processes of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.cloud import firestore

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.index_file import IndexFile
from infra.local.firestore.server import Server, serve
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
GOOGLE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
START_SECONDS = 20.0

INDEXES: IndexFile = {
    "indexes": [
        {
            "collectionGroup": "runs",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "state", "order": "ASCENDING"},
                {"fieldPath": "at", "order": "DESCENDING"},
            ],
        },
        {
            "collectionGroup": "runs",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "owner", "order": "ASCENDING"},
                {"fieldPath": "at", "order": "DESCENDING"},
            ],
        },
        {
            "collectionGroup": "runs",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "tags", "arrayConfig": "CONTAINS"},
                {"fieldPath": "at", "order": "ASCENDING"},
            ],
        },
        {
            "collectionGroup": "runs",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "at", "order": "ASCENDING"},
                {"fieldPath": "cost", "order": "ASCENDING"},
            ],
        },
        {
            "collectionGroup": "runs",
            "queryScope": "COLLECTION_GROUP",
            "fields": [
                {"fieldPath": "state", "order": "ASCENDING"},
                {"fieldPath": "at", "order": "ASCENDING"},
            ],
        },
    ],
    "fieldOverrides": [
        {"collectionGroup": "runs", "fieldPath": "payload", "indexes": []},
        {
            "collectionGroup": "runs",
            "fieldPath": "at",
            "indexes": [
                {"order": "ASCENDING", "queryScope": "COLLECTION"},
                {"order": "DESCENDING", "queryScope": "COLLECTION"},
                {"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"},
            ],
        },
        {"collectionGroup": "sessions", "fieldPath": "expiresAt", "ttl": True, "indexes": []},
    ],
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server process that answers at ``host``."""

    name: str
    host: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self) -> int:
        """Ends it politely; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def start_ours(folder: Path, indexes: Mapping[str, object] | IndexFile = INDEXES) -> Running:
    """Our server with its data file in ``folder``, as an operator starts it."""
    file = folder / "firestore.indexes.json"
    file.write_text(json.dumps(indexes))
    command = [sys.executable, "-W", "ignore", "-m", "infra.local.firestore"]
    command += ["--port", "0", "--data", str(folder / "firestore.db"), "--indexes", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None, "stdout is a pipe"
    line = process.stdout.readline()
    assert line, "the server ended before it was ready"
    return Running("ours", json.loads(line)["host"], process)


def start_google(jar: str) -> Running:
    """Google's emulator out of its jar, which names no main class."""
    port = free_port()
    command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", jar, GOOGLE_MAIN, "start"]
    process = subprocess.Popen(
        [*command, "--host=127.0.0.1", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Running("google", f"127.0.0.1:{port}", process)
    deadline = time.monotonic() + START_SECONDS
    while not _says_ok(port):
        assert process.poll() is None, "Google's emulator ended at its start"
        assert time.monotonic() < deadline, "Google's emulator took too long to start"
        time.sleep(0.05)
    return running


def _says_ok(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def new_project() -> str:
    """A project nobody else uses, which is an empty database."""
    return f"p-{uuid.uuid4().hex[:12]}"


@contextmanager
def _pointed_at(host: str) -> Iterator[None]:
    before = os.environ.get("FIRESTORE_EMULATOR_HOST")
    os.environ["FIRESTORE_EMULATOR_HOST"] = host
    try:
        yield
    finally:
        if before is None:
            del os.environ["FIRESTORE_EMULATOR_HOST"]
        else:
            os.environ["FIRESTORE_EMULATOR_HOST"] = before


def async_client(host: str, project: str | None = None, database: str | None = None) -> firestore.AsyncClient:
    """Google's client, told by the environment alone where the server is."""
    with _pointed_at(host):
        return firestore.AsyncClient(project=project or new_project(), database=database)


@contextmanager
def sync_client(host: str, project: str | None = None) -> Iterator[firestore.Client]:
    """Google's blocking client."""
    with _pointed_at(host):
        client = firestore.Client(project=project or new_project())
    try:
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]  # the library's


@asynccontextmanager
async def served(folder: Path, indexes: IndexFile) -> AsyncIterator[tuple[Server, firestore.AsyncClient]]:
    """Our server inside this process on the data in ``folder``, and a client of the project ``p``."""
    server = await serve(0, folder / "firestore.db", IndexCatalogue(indexes), sweep_seconds=0.1)
    client = async_client(f"127.0.0.1:{server.port}", "p")
    try:
        yield server, client
    finally:
        await close(client)
        await server.stop()


async def close(client: firestore.AsyncClient) -> None:
    """Closes the channel of a client that was used."""
    await client._firestore_api.transport.close()

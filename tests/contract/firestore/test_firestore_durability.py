from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.firestore.server import Server
from tests.contract.firestore.servers import INDEXES, ROOT, served, start_ours, sync_client


def test_what_was_acknowledged_survives_the_death_of_the_process(tmp_path: Path) -> None:
    server = start_ours(tmp_path)
    acknowledged: list[int] = []

    def write(client: firestore.Client) -> None:
        for number in range(100_000):
            batch = client.batch()
            batch.set(client.document(f"a/{number}"), {"n": number})
            batch.set(client.document(f"b/{number}"), {"n": number})
            try:
                batch.commit(retry=None, timeout=2)
            except Exception:  # noqa: BLE001 - the server is gone, in whatever way the client puts it
                return
            acknowledged.append(number)

    with sync_client(server.host, "p") as client:
        writer = threading.Thread(target=write, args=(client,))
        writer.start()
        while len(acknowledged) < 100:
            threading.Event().wait(0.01)
        server.kill()
        writer.join()
    again = start_ours(tmp_path)
    with sync_client(again.host, "p") as client:
        left = {snapshot.get("n") for snapshot in client.collection("a").stream()}
        right = {snapshot.get("n") for snapshot in client.collection("b").order_by("n").stream()}
    assert again.stop() == 0
    assert left == right
    assert left >= set(acknowledged)


async def test_a_stopped_server_leaves_a_file_that_is_whole(tmp_path: Path) -> None:
    async with served(tmp_path, INDEXES) as (_, client):
        for number in range(20):
            await client.document(f"a/{number}").set({"n": number})
    assert sorted(os.listdir(tmp_path)) == ["firestore.db", "firestore.db.lock"]  # noqa: PTH208 - no paths needed
    connection = sqlite3.connect(tmp_path / "firestore.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM documents").fetchone() == (20,)
    connection.close()


async def test_deleting_everything_leaves_no_index_entries(
    inside: Server, near: firestore.AsyncClient
) -> None:
    fields = {"a": 1, "m": {"x": [1, {"y": 2}], "z": None}, "tags": ["t", "u"], "at": 3, "state": "ok"}
    storage = inside.backend.store.storage.main
    for number in range(3):
        await near.document(f"runs/{number}").set(fields)
    assert storage.execute("SELECT count(*) FROM entries").fetchone()[0] > 30
    for number in range(3):
        await near.document(f"runs/{number}").update({"m": {"x": 1}, "tags": firestore.DELETE_FIELD})
        await near.document(f"runs/{number}").delete()
    assert storage.execute("SELECT count(*) FROM entries").fetchone()[0] == 0


async def test_documents_are_deleted_after_their_expiry(inside: Server, near: firestore.AsyncClient) -> None:
    now = dt.datetime.now(dt.UTC)
    batch = near.batch()
    for number in range(120):
        past = now - dt.timedelta(seconds=number)
        batch.set(near.document(f"users/u/sessions/old{number}"), {"expiresAt": past})
    batch.set(near.document("sessions/new"), {"expiresAt": now + dt.timedelta(hours=1)})
    batch.set(near.document("sessions/never"), {"expiresAt": "text"})
    batch.set(near.document("other/old"), {"expiresAt": now - dt.timedelta(days=1)})
    await batch.commit()
    for _ in range(100):
        if inside.stats.expired == 120:
            break
        await asyncio.sleep(0.05)
    left = [snapshot.id async for snapshot in near.collection_group("sessions").stream()]
    assert sorted(left) == ["never", "new"]
    assert (await near.document("other/old").get()).exists


async def test_old_versions_are_forgotten(inside: Server, near: firestore.AsyncClient) -> None:
    for number in range(250):
        await near.document("a/x").set({"n": number})
    storage = inside.backend.store.storage
    assert storage.main.execute("SELECT count(*) FROM history").fetchone() == (249,)
    future = inside.backend.store.clock.now()
    assert [storage.forget_versions(future, 100) for _ in range(4)] == [100, 100, 49, 0]


def test_a_second_server_starts_on_the_data_of_the_first(tmp_path: Path) -> None:
    first = start_ours(tmp_path)
    with sync_client(first.host, "p") as client:
        client.document("a/x").set({"n": 1})
        created = client.document("a/x").get().create_time
    assert first.stop() == 0
    second = start_ours(tmp_path)
    with sync_client(second.host, "p") as client:
        client.document("a/x").update({"n": firestore.Increment(1)})
        snapshot = client.document("a/x").get()
        found = client.collection("a").where(filter=FieldFilter("n", "==", 2)).get()
    assert second.stop() == 0
    assert snapshot.get("n") == 2
    assert snapshot.create_time == created < snapshot.update_time
    assert [document.id for document in found] == ["x"]


@pytest.mark.parametrize(
    ("data", "indexes", "message"),
    [
        (b"no database at all, but longer than a header of one hundred bytes" * 4, "{}", "firestore.db"),
        (b"", "{", "firestore.indexes.json"),
        (b"", '{"indexes": [{}]}', "lacks"),
    ],
    ids=["a strange data file", "no JSON", "a malformed index"],
)
def test_a_server_that_cannot_start_says_why(tmp_path: Path, data: bytes, indexes: str, message: str) -> None:
    (tmp_path / "firestore.db").write_bytes(data)
    (tmp_path / "firestore.indexes.json").write_text(indexes)
    ended = run_server(tmp_path, 0)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr


def test_only_the_owner_may_read_the_data(tmp_path: Path) -> None:
    server = start_ours(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("firestore.db*")}
    server.stop()
    assert set(modes.values()) == {0o600}
    assert "firestore.db-wal" in modes


def test_two_servers_never_work_on_the_same_data(tmp_path: Path) -> None:
    first = start_ours(tmp_path)
    ended = run_server(tmp_path, 0)
    assert ended.returncode == 2
    assert "Another server" in ended.stderr
    first.kill()
    assert start_ours(tmp_path).stop() == 0


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    first = start_ours(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "firestore.indexes.json").write_text("{}")
    ended = run_server(other, int(first.host.rpartition(":")[2]))
    first.stop()
    assert ended.returncode == 2
    assert "taken" in ended.stderr


def run_server(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end by itself."""
    command = [sys.executable, "-W", "ignore", "-m", "infra.local.firestore", "--port", str(port)]
    command += ["--data", str(folder / "firestore.db"), "--indexes", str(folder / "firestore.indexes.json")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_standard_output_is_one_line_of_json(tmp_path: Path) -> None:
    (tmp_path / "firestore.indexes.json").write_text("{}")
    command = [sys.executable, "-W", "ignore", "-m", "infra.local.firestore"]
    command += ["--data", str(tmp_path / "firestore.db")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    os.kill(process.pid, signal.SIGTERM)
    assert process.stdout.read() == ""
    assert process.wait(10) == 0
    process.stdout.close()
    assert line["ready"] is True
    assert line["host"] == f"127.0.0.1:{line['port']}"

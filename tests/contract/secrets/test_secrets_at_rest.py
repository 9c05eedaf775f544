from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service import transports
from hypothesis import given
from hypothesis import strategies as st

from infra.local.secrets.sealing import Seal, WrongMasterKey
from infra.local.tasks.server import serve
from tests.contract.secrets.conftest import AUTOMATIC, PARENT
from tests.contract.tasks.process import running

NEEDLE = b"-----BEGIN NEEDLE-----"
SECRET = f"{PARENT}/secrets/s"


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[sm.SecretManagerServiceAsyncClient]:
    async with grpc.aio.insecure_channel(address) as channel:
        transport = transports.SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
        yield sm.SecretManagerServiceAsyncClient(transport=transport)


async def _store(manager: sm.SecretManagerServiceAsyncClient, data: bytes) -> None:
    await manager.create_secret(parent=PARENT, secret_id="s", secret=sm.Secret(replication=AUTOMATIC))
    await manager.add_secret_version(parent=SECRET, payload=sm.SecretPayload(data=data))


async def test_versions_and_their_states_survive_a_crash(tmp_path: Path) -> None:
    async with running(tmp_path) as first, _connected(first.address) as manager:
        await _store(manager, b"one")
        for data in (b"two", b"three"):
            await manager.add_secret_version(parent=SECRET, payload=sm.SecretPayload(data=data))
        await manager.disable_secret_version(name=f"{SECRET}/versions/2")
        await manager.destroy_secret_version(name=f"{SECRET}/versions/3")
        await first.kill()

    async with running(tmp_path) as second, _connected(second.address) as manager:
        one = await manager.access_secret_version(name=f"{SECRET}/versions/1")
        assert one.payload.data == b"one"
        await manager.enable_secret_version(name=f"{SECRET}/versions/2")
        two = await manager.access_secret_version(name=f"{SECRET}/versions/2")
        assert two.payload.data == b"two"
        with pytest.raises(exceptions.FailedPrecondition):
            await manager.access_secret_version(name=f"{SECRET}/versions/3")
        added = await manager.add_secret_version(parent=SECRET, payload=sm.SecretPayload(data=b"four"))
        assert added.name == f"{SECRET}/versions/4"


async def test_no_file_holds_a_payload_in_clear(tmp_path: Path) -> None:
    async with running(tmp_path) as process, _connected(process.address) as manager:
        await _store(manager, NEEDLE)
        await process.kill()
    files = _contents(tmp_path)
    assert files["secrets.sqlite3-wal"][1]
    for mode, content in files.values():
        assert NEEDLE not in content
        assert mode == 0o600


@pytest.mark.parametrize("loss", ["missing", "another", "short"])
async def test_a_database_without_its_master_key_does_not_start(tmp_path: Path, loss: str) -> None:
    server = await serve(tmp_path)
    async with _connected(server.address) as manager:
        await _store(manager, NEEDLE)
    await server.close()
    key = tmp_path / "secrets.key"
    right = key.read_bytes()
    key.unlink()
    if loss != "missing":
        key.write_bytes(os.urandom(32) if loss == "another" else right[:16])

    with pytest.raises(WrongMasterKey) as refusal:
        await serve(tmp_path)
    assert right.hex() not in str(refusal.value)

    key.write_bytes(right)
    server = await serve(tmp_path)
    async with _connected(server.address) as manager:
        again = await manager.access_secret_version(name=f"{SECRET}/versions/1")
        assert again.payload.data == NEEDLE
    await server.close()


def _contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (stat.S_IMODE(file.stat().st_mode), file.read_bytes()) for file in folder.iterdir()}


@given(st.binary(max_size=200), st.text(max_size=40))
def test_a_sealed_payload_opens_under_its_own_name_only(payload: bytes, name: str) -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.close(name, payload)
    assert seal.open(name, sealed) == payload
    with pytest.raises(WrongMasterKey):
        seal.open(name + "x", sealed)
    with pytest.raises(WrongMasterKey):
        Seal(b"o" * 32).open(name, sealed)
    assert seal.close(name, payload) != sealed


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_changed_ciphertext_does_not_open(payload: bytes, data: st.DataObject) -> None:
    seal = Seal(b"k" * 32)
    sealed = bytearray(seal.close("name", payload))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(WrongMasterKey):
        seal.open("name", bytes(sealed))


def test_a_seal_does_not_show_its_key() -> None:
    key = b"a very recognisable master key!!"
    assert key.decode() not in repr(Seal(key))
    assert not hasattr(Seal(key), "__dict__")

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from infra.local import n8n
from infra.local.errors import LocalStackError
from shared.n8n.client import N8nClient
from tests.contract.n8n.private_n8n import Instance


@pytest.fixture
def state(own_instance: Instance, tmp_path: Path) -> Path:
    """What a state folder holds after the first preparation."""
    for name in ("n8n-api-key", "n8n-owner.json"):
        shutil.copy(own_instance.folder / name, tmp_path / name)
    return tmp_path


async def test_preparing_again_returns_the_same_key(own_instance: Instance, state: Path) -> None:
    assert await n8n.prepare(own_instance.base_url, state) == own_instance.api_key


async def test_a_lost_key_is_replaced_by_one_that_works(own_instance: Instance, state: Path) -> None:
    (state / "n8n-api-key").unlink()
    key = await n8n.prepare(own_instance.base_url, state)
    assert key != own_instance.api_key
    async with N8nClient(own_instance.base_url, key) as client:
        await client.check()


async def test_a_key_that_n8n_no_longer_takes_is_replaced(own_instance: Instance, state: Path) -> None:
    (state / "n8n-api-key").write_text("revoked")
    assert await n8n.prepare(own_instance.base_url, state) != "revoked"


def test_the_key_and_the_password_are_readable_by_their_owner_only(own_instance: Instance) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in own_instance.folder.glob("n8n-*")}
    assert modes == {"n8n-api-key": 0o600, "n8n-owner.json": 0o600}


async def test_an_n8n_with_an_owner_of_its_own_is_left_alone(own_instance: Instance, tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"has an owner already.*--n8n-api-key"):
        await n8n.prepare(own_instance.base_url, tmp_path)


async def test_an_n8n_that_does_not_start_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"was not ready within 0\.3 s"):
        await n8n.prepare("http://127.0.0.1:9", tmp_path, ready_within=0.3)


def test_the_node_package_is_replaced_when_it_changed(tmp_path: Path) -> None:
    place = n8n.install_node_package(tmp_path)
    entry = place / "dist/nodes/Codika/Codika.node.js"
    original = entry.read_text()
    entry.write_text("changed")
    (place / "dist/stray.js").write_text("stray")
    n8n.install_node_package(tmp_path)
    assert entry.read_text() == original
    assert not (place / "dist/stray.js").exists()


def test_the_node_package_is_left_alone_when_it_is_the_same(tmp_path: Path) -> None:
    before = n8n.install_node_package(tmp_path).stat().st_ino
    assert n8n.install_node_package(tmp_path).stat().st_ino == before

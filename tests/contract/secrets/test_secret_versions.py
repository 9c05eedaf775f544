from __future__ import annotations

import asyncio

import google_crc32c
import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as sm
from google.protobuf import field_mask_pb2

from tests.contract.secrets.conftest import AddVersion

Manager = sm.SecretManagerServiceAsyncClient
State = sm.SecretVersion.State


async def _payload(manager: Manager, name: str) -> bytes:
    data: bytes = (await manager.access_secret_version(name=name)).payload.data
    return data


async def test_versions_are_numbered_from_one_and_latest_is_the_newest(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    assert await add(b"\x00first") == f"{secret}/versions/1"
    assert await add(b"second") == f"{secret}/versions/2"
    latest = await manager.access_secret_version(name=f"{secret}/versions/latest")
    assert (latest.name, latest.payload.data) == (f"{secret}/versions/2", b"second")
    assert await _payload(manager, f"{secret}/versions/1") == b"\x00first"


async def test_versions_added_at_once_get_numbers_of_their_own(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    names = await asyncio.gather(*(add(b"%d" % number) for number in range(20)))
    assert {name.rpartition("/")[2] for name in names} == {str(number) for number in range(1, 21)}
    assert [await _payload(manager, name) for name in names] == [b"%d" % number for number in range(20)]


async def test_a_payload_comes_with_its_checksum(manager: Manager, secret: str, add: AddVersion) -> None:
    accessed = await manager.access_secret_version(name=await add(b"payload"))
    assert accessed.payload.data_crc32c == google_crc32c.value(b"payload")


async def test_a_payload_that_does_not_fit_its_checksum_is_refused(manager: Manager, secret: str) -> None:
    right = sm.SecretPayload(data=b"payload", data_crc32c=google_crc32c.value(b"payload"))
    wrong = sm.SecretPayload(data=b"payload", data_crc32c=1)
    made = await manager.add_secret_version(parent=secret, payload=right)
    with pytest.raises(exceptions.InvalidArgument):
        await manager.add_secret_version(parent=secret, payload=wrong)
    assert made.client_specified_payload_checksum is True
    assert len([item async for item in await manager.list_secret_versions(parent=secret)]) == 1


async def test_a_payload_holds_one_byte_to_64_kibibytes(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    assert len(await _payload(manager, await add(b"x" * 65_536))) == 65_536
    for refused in (b"", b"x" * 65_537):
        with pytest.raises(exceptions.InvalidArgument):
            await add(refused)


async def test_a_disabled_version_cannot_be_accessed_until_it_is_enabled(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    older, newest = await add(b"older"), await add(b"newest")
    assert (await manager.disable_secret_version(name=newest)).state == State.DISABLED
    for name in (newest, f"{secret}/versions/latest"):
        with pytest.raises(exceptions.FailedPrecondition):
            await manager.access_secret_version(name=name)
    assert await _payload(manager, older) == b"older"
    assert (await manager.enable_secret_version(name=newest)).state == State.ENABLED
    assert await _payload(manager, newest) == b"newest"


async def test_a_destroyed_version_is_gone_for_good(manager: Manager, secret: str, add: AddVersion) -> None:
    version = await add(b"gone")
    destroyed = await manager.destroy_secret_version(name=version)
    assert destroyed.state == State.DESTROYED
    assert destroyed.destroy_time >= destroyed.create_time
    for call in (
        manager.access_secret_version(name=version),
        manager.enable_secret_version(name=version),
        manager.disable_secret_version(name=version),
        manager.destroy_secret_version(name=version),
    ):
        with pytest.raises(exceptions.FailedPrecondition):
            await call
    assert await add(b"next") == f"{secret}/versions/2"


async def test_a_version_without_its_payload_tells_its_state(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    await add(b"payload")
    version = await manager.get_secret_version(name=f"{secret}/versions/latest")
    assert (version.name, version.state) == (f"{secret}/versions/1", State.ENABLED)


async def test_an_alias_points_to_its_version(manager: Manager, secret: str, add: AddVersion) -> None:
    await add(b"one")
    await add(b"two")
    mask = field_mask_pb2.FieldMask(paths=["version_aliases"])
    await manager.update_secret(
        secret=sm.Secret(name=secret, version_aliases={"current": 1}), update_mask=mask
    )
    accessed = await manager.access_secret_version(name=f"{secret}/versions/current")
    assert (accessed.name, accessed.payload.data) == (f"{secret}/versions/1", b"one")

    await manager.update_secret(
        secret=sm.Secret(name=secret, version_aliases={"current": 2}), update_mask=mask
    )
    assert await _payload(manager, f"{secret}/versions/current") == b"two"
    with pytest.raises(exceptions.NotFound):
        await manager.access_secret_version(name=f"{secret}/versions/other")
    with pytest.raises(exceptions.InvalidArgument):
        await manager.disable_secret_version(name=f"{secret}/versions/current")


@pytest.mark.parametrize("alias", ["latest", "NEW", "1st", "a b", "x" * 64])
async def test_an_invalid_alias_is_refused(manager: Manager, secret: str, alias: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await manager.update_secret(
            secret=sm.Secret(name=secret, version_aliases={alias: 1}),
            update_mask=field_mask_pb2.FieldMask(paths=["version_aliases"]),
        )


async def test_an_outdated_etag_refuses_a_change_of_state(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    version = await manager.get_secret_version(name=await add(b"payload"))
    # Enabling what is enabled changes nothing but the etag.
    await manager.enable_secret_version(name=version.name)
    for change in (
        manager.disable_secret_version,
        manager.enable_secret_version,
        manager.destroy_secret_version,
    ):
        with pytest.raises(exceptions.FailedPrecondition):
            await change(request={"name": version.name, "etag": version.etag})
    assert await _payload(manager, version.name) == b"payload"


async def test_versions_are_listed_newest_first_in_pages_and_by_state(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    names = [await add(b"x") for _ in range(5)]
    await manager.disable_secret_version(name=names[1])
    pages = [
        (page.total_size, [item.name for item in page.versions])
        async for page in (
            await manager.list_secret_versions(request={"parent": secret, "page_size": 2})
        ).pages
    ]
    disabled = await manager.list_secret_versions(request={"parent": secret, "filter": "state:DISABLED"})
    assert pages == [(5, [names[4], names[3]]), (5, [names[2], names[1]]), (5, [names[0]])]
    assert [item.name async for item in disabled] == [names[1]]


async def test_a_missing_version_is_not_found(manager: Manager, secret: str) -> None:
    for which in ("latest", "1", "0", "99999999999999999999"):
        with pytest.raises(exceptions.NotFound):
            await manager.access_secret_version(name=f"{secret}/versions/{which}")
    with pytest.raises(exceptions.NotFound):
        await manager.access_secret_version(name="projects/demo/secrets/nowhere/versions/latest")


@pytest.mark.parametrize("name", ["", "projects/demo", "projects/demo/secrets/a b/versions/1", "a/../b"])
async def test_a_malformed_name_is_refused(manager: Manager, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await manager.access_secret_version(name=name)

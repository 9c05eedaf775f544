from __future__ import annotations

import asyncio
import uuid

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service import transports
from google.protobuf import duration_pb2, field_mask_pb2

from infra.local.tasks.server import Server
from tests.contract.secrets.conftest import AUTOMATIC, PARENT, AddVersion

Manager = sm.SecretManagerServiceAsyncClient


def _mask(*paths: str) -> field_mask_pb2.FieldMask:
    return field_mask_pb2.FieldMask(paths=paths)


async def test_a_secret_keeps_what_it_was_created_with(manager: Manager, secret: str) -> None:
    found = await manager.get_secret(name=secret)
    assert found.name == secret
    assert dict(found.labels) == {"team": "a"}
    assert "automatic" in found.replication
    assert found.etag.startswith('"')
    assert found.create_time is not None


async def test_a_secret_is_not_created_twice(manager: Manager, secret: str) -> None:
    with pytest.raises(exceptions.AlreadyExists):
        await manager.create_secret(
            parent=PARENT, secret_id=secret.rpartition("/")[2], secret=sm.Secret(replication=AUTOMATIC)
        )


@pytest.mark.parametrize("secret_id", ["", "a b", "a/b", "a.b", "ä", "x" * 256])
async def test_a_secret_with_an_invalid_id_is_refused(manager: Manager, secret_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await manager.create_secret(
            parent=PARENT, secret_id=secret_id, secret=sm.Secret(replication=AUTOMATIC)
        )


async def test_a_secret_needs_a_replication_unless_it_is_regional(manager: Manager) -> None:
    secret_id = uuid.uuid4().hex
    with pytest.raises(exceptions.InvalidArgument):
        await manager.create_secret(parent=PARENT, secret_id=secret_id, secret=sm.Secret())
    regional = f"{PARENT}/locations/europe-west1"
    made = await manager.create_secret(parent=regional, secret_id=secret_id, secret=sm.Secret())
    assert made.name == f"{regional}/secrets/{secret_id}"


async def test_what_the_server_would_not_do_is_refused(manager: Manager) -> None:
    for unsupported in (
        sm.Secret(replication=AUTOMATIC, ttl=duration_pb2.Duration(seconds=3600)),
        sm.Secret(replication=AUTOMATIC, version_destroy_ttl=duration_pb2.Duration(seconds=90_000)),
        sm.Secret(replication=AUTOMATIC, topics=[sm.Topic(name="projects/p/topics/t")]),
    ):
        with pytest.raises(exceptions.MethodNotImplemented):
            await manager.create_secret(parent=PARENT, secret_id="unsupported", secret=unsupported)


async def test_an_update_changes_only_what_its_mask_names(manager: Manager, secret: str) -> None:
    changed = await manager.update_secret(
        secret=sm.Secret(name=secret, labels={"team": "b"}, annotations={"note": "no"}),
        update_mask=_mask("labels"),
    )
    assert dict(changed.labels) == {"team": "b"}
    assert dict(changed.annotations) == {}
    assert changed == await manager.get_secret(name=secret)


@pytest.mark.parametrize("path", ["replication", "colour"])
async def test_what_cannot_be_changed_is_refused(manager: Manager, secret: str, path: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await manager.update_secret(
            secret=sm.Secret(name=secret, replication=AUTOMATIC), update_mask=_mask(path)
        )


async def test_an_outdated_etag_refuses_an_update_and_a_deletion(manager: Manager, secret: str) -> None:
    outdated = await manager.get_secret(name=secret)
    await manager.update_secret(secret=sm.Secret(name=secret), update_mask=_mask("labels"))
    with pytest.raises(exceptions.FailedPrecondition):
        await manager.update_secret(secret=outdated, update_mask=_mask("labels"))
    with pytest.raises(exceptions.FailedPrecondition):
        await manager.delete_secret(request={"name": secret, "etag": outdated.etag})
    current = await manager.get_secret(name=secret)
    await manager.delete_secret(request={"name": secret, "etag": current.etag})


async def test_a_deleted_secret_is_gone_with_its_versions(
    manager: Manager, secret: str, add: AddVersion
) -> None:
    version = await add(b"payload")
    await manager.delete_secret(name=secret)
    for call in (
        manager.get_secret(name=secret),
        manager.access_secret_version(name=version),
        manager.list_secret_versions(parent=secret),
        manager.delete_secret(name=secret),
    ):
        with pytest.raises(exceptions.NotFound):
            await call
    await manager.create_secret(
        parent=PARENT, secret_id=secret.rpartition("/")[2], secret=sm.Secret(replication=AUTOMATIC)
    )
    with pytest.raises(exceptions.NotFound):
        await manager.access_secret_version(name=f"{secret}/versions/latest")


async def test_secrets_are_listed_in_pages_newest_first(manager: Manager) -> None:
    parent = f"projects/p{uuid.uuid4().hex[:8]}"
    for number in range(5):
        await manager.create_secret(
            parent=parent, secret_id=f"s{number}", secret=sm.Secret(replication=AUTOMATIC)
        )
    pages = [
        (page.total_size, [item.name.rpartition("/")[2] for item in page.secrets])
        async for page in (await manager.list_secrets(request={"parent": parent, "page_size": 2})).pages
    ]
    assert pages == [(5, ["s4", "s3"]), (5, ["s2", "s1"]), (5, ["s0"])]


async def test_permissions_are_not_kept(manager: Manager, secret: str) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        await manager.get_iam_policy(request={"resource": secret})


async def test_the_blocking_client_works_as_well(
    secrets_server: Server, secret: str, add: AddVersion
) -> None:
    await add(b"seen by all")

    def access() -> bytes:
        with grpc.insecure_channel(secrets_server.address) as channel:
            transport = transports.SecretManagerServiceGrpcTransport(channel=channel)
            client = sm.SecretManagerServiceClient(transport=transport)
            return client.access_secret_version(name=f"{secret}/versions/latest").payload.data

    assert await asyncio.to_thread(access) == b"seen by all"

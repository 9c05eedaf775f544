"""Reads and writes of typed documents: one round trip per call, conditions instead of locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from google.api_core import exceptions as api
from google.api_core.retry import AsyncRetry, if_exception_type
from google.cloud import firestore

from shared.model.document import Document
from shared.store.counts import count
from shared.store.errors import AlreadyExists, Changed
from shared.store.refs import Ref

D = TypeVar("D", bound=Document)

# Aborted and Unavailable mean that nothing was written; every other failure must reach the caller.
_ON_CONTENTION = AsyncRetry(
    if_exception_type(api.Aborted, api.ServiceUnavailable), initial=0.02, maximum=1, timeout=10
)


@dataclass(frozen=True, slots=True)
class Found(Generic[D]):
    """A document as it was read. ``update_time`` is the version a conditional write refers to."""

    ref: Ref[D]
    value: D
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Create(Generic[D]):
    """Write a document that must not exist yet."""

    ref: Ref[D]
    value: D


@dataclass(frozen=True, slots=True)
class Put(Generic[D]):
    """Write a whole document, whatever was there."""

    ref: Ref[D]
    value: D


@dataclass(frozen=True, slots=True)
class Patch(Generic[D]):
    """Change some fields (snake_case names) of a document that must exist; ``None`` removes a field.

    With ``unchanged_since`` the write fails with :class:`Changed` unless that is still its version.
    """

    ref: Ref[D]
    fields: Mapping[str, object]
    unchanged_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delete(Generic[D]):
    """Remove a document, if it is there."""

    ref: Ref[D]


Write = Create[Any] | Put[Any] | Patch[Any] | Delete[Any]
"""Any write of any document; the model is bound inside each of them."""


class Store:
    """The platform's documents.

    Raises of every write: :class:`AlreadyExists`, :class:`Changed`. A commit is all or nothing.
    """

    def __init__(self, client: firestore.AsyncClient) -> None:
        self.client = client

    async def fetch(self, *refs: Ref[Any]) -> tuple[Any, ...]:
        """Return one ``Found | None`` per reference, in order, read in a single batched get."""
        count(round_trips=1, reads=len(refs))
        documents = {ref.path: self.client.document(ref.path) for ref in refs}
        found: dict[str, Any] = {}
        async for snapshot in self.client.get_all(list(documents.values())):
            if snapshot.exists:
                found[snapshot.reference.path] = snapshot
        return tuple(self._found(ref, found.get(ref.path)) for ref in refs)

    async def get(self, ref: Ref[D]) -> Found[D] | None:
        """Return the document, or ``None``."""
        (found,) = await self.fetch(ref)
        return cast("Found[D] | None", found)

    async def commit(self, *writes: Write) -> list[datetime]:
        """Apply all writes or none; return the new update time of each."""
        count(writes=len(writes))
        batch = self.client.batch()
        for write in writes:
            self._add(batch, write)
        try:
            results = await batch.commit(retry=_ON_CONTENTION)
        except api.AlreadyExists as error:
            raise AlreadyExists(str(error)) from None
        except (api.FailedPrecondition, api.NotFound) as error:
            raise Changed(str(error)) from None
        return [result.update_time for result in results]

    async def close(self) -> None:
        """Close the connection."""
        self.client.close()  # type: ignore[no-untyped-call]  # the client library has no types here

    def _add(self, batch: firestore.AsyncWriteBatch, write: Write) -> None:
        document = self.client.document(write.ref.path)
        match write:
            case Create(value=value):
                batch.create(document, value.fields())
            case Put(value=value):
                batch.set(document, value.fields())
            case Patch(ref=ref, fields=fields, unchanged_since=since):
                option = self.client.write_option(last_update_time=since) if since else None
                batch.update(document, _wire(ref.model, fields), option=option)
            case Delete():
                batch.delete(document)

    @staticmethod
    def _found(ref: Ref[D], snapshot: firestore.DocumentSnapshot[Any] | None) -> Found[D] | None:
        if snapshot is None:
            return None
        return Found(ref, ref.model.model_validate(snapshot.to_dict()), snapshot.update_time)


def _wire(model: type[Document], fields: Mapping[str, object]) -> dict[str, object]:
    wired: dict[str, object] = {}
    for name, value in fields.items():
        alias = model.model_fields[name].alias or name
        wired[alias] = firestore.DELETE_FIELD if value is None else _plain(value)
    return wired


def _plain(value: object) -> object:
    if isinstance(value, Document):
        return value.fields()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value

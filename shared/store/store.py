"""Reads and writes of typed documents: one round trip per call, conditions instead of locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from google.api_core import exceptions as api
from google.cloud import firestore
from google.protobuf.message import Message

from shared.model.document import Document
from shared.store import values
from shared.store.calls import Calls
from shared.store.calls import Write as WriteMessage
from shared.store.counts import count
from shared.store.errors import AlreadyExists, Changed
from shared.store.reading import read
from shared.store.refs import Ref

D = TypeVar("D", bound=Document)


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
    """Remove a document, if it is there.

    With ``unchanged_since`` the write fails with :class:`Changed` unless that is still its version.
    """

    ref: Ref[D]
    unchanged_since: datetime | None = None


Write = Create[Any] | Put[Any] | Patch[Any] | Delete[Any]
"""Any write of any document; the model is bound inside each of them."""


class Store:
    """The platform's documents.

    Raises of every write: :class:`AlreadyExists`, :class:`Changed`. A commit is all or nothing.
    """

    def __init__(self, client: firestore.AsyncClient) -> None:
        self.client = client
        self.calls = Calls(client)

    async def fetch(self, *refs: Ref[Any]) -> tuple[Any, ...]:
        """Return one ``Found | None`` per reference, in order, read in a single batched get."""
        count(round_trips=1, reads=len(refs))
        documents = await self.calls.batch_get(ref.path for ref in refs)
        return tuple(self.found(ref, documents.get(ref.path)) for ref in refs)

    async def get(self, ref: Ref[D]) -> Found[D] | None:
        """Return the document, or ``None``."""
        (found,) = await self.fetch(ref)
        return cast("Found[D] | None", found)

    async def commit(self, *writes: Write) -> list[datetime]:
        """Apply all writes or none; return the new update time of each."""
        count(writes=len(writes))
        messages = [self._message(write) for write in writes]
        try:
            answer: Any = await self.calls.commit(messages)
        except api.AlreadyExists as error:
            raise AlreadyExists(str(error)) from None
        except (api.FailedPrecondition, api.NotFound) as error:
            raise Changed(str(error)) from None
        # What was deleted has no time of its own.
        return [
            values.moment(result.update_time if result.HasField("update_time") else answer.commit_time)
            for result in answer.write_results
        ]

    async def close(self) -> None:
        """Close the connection."""
        self.client.close()  # type: ignore[no-untyped-call]  # the client library has no types here

    def _message(self, write: Write) -> Message:
        message = WriteMessage()
        name = self.calls.name(write.ref.path)
        match write:
            case Create(value=value):
                message.current_document.exists = False
                _put(message, name, value.fields())
            case Put(value=value):
                _put(message, name, value.fields())
            case Patch(ref=ref, fields=fields, unchanged_since=since):
                if since is None:
                    message.current_document.exists = True
                else:
                    values.timestamp(since, message.current_document.update_time)
                wired = _wire(ref.model, fields)
                # Without a mask the whole document would be replaced; an empty one changes nothing.
                message.update_mask.SetInParent()
                message.update_mask.field_paths.extend(wired)
                _put(message, name, {field: value for field, value in wired.items() if value is not None})
            case Delete(unchanged_since=since):
                message.delete = name
                if since is not None:
                    values.timestamp(since, message.current_document.update_time)
        return message

    @staticmethod
    def found(ref: Ref[D], document: Any) -> Found[D] | None:
        """Return a document of an answer, ``None`` for none.

        Raises:
            Unreadable: it does not fit its model.
        """
        if document is None:
            return None
        value = read(ref.model, ref.path, values.decode(document.fields))
        return Found(ref, value, values.moment(document.update_time))


def _put(message: Any, name: str, fields: Mapping[str, object]) -> None:
    message.update.name = name
    values.encode(fields, message.update.fields)


def _wire(model: type[Document], fields: Mapping[str, object]) -> dict[str, object]:
    return {model.model_fields[name].alias or name: _plain(value) for name, value in fields.items()}


def _plain(value: object) -> object:
    if isinstance(value, Document):
        return value.fields()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value

"""The methods of Firestore that a request waits for, called on the client's own connection.

The client library's wrappers around them cost two to three times as much as the calls themselves. Queries,
which are off that path, go through the library, except the one that walks through everything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import cast
from urllib.parse import quote

import grpc
from google.api_core import exceptions as api
from google.api_core.retry import AsyncRetry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.types import firestore as types
from google.cloud.firestore_v1.types import write
from google.protobuf.message import Message

Write = write.Write.pb()
"""The protobuf class of one write of a commit."""

ATTEMPT_SECONDS = 10.0

_BatchGetRequest = types.BatchGetDocumentsRequest.pb()
_BatchGetResponse = types.BatchGetDocumentsResponse.pb()
_CommitRequest = types.CommitRequest.pb()
_CommitResponse = types.CommitResponse.pb()
_RunQueryRequest = types.RunQueryRequest.pb()
_RunQueryResponse = types.RunQueryResponse.pb()
_ListenRequest = types.ListenRequest.pb()
_ListenResponse = types.ListenResponse.pb()

# Aborted means that nothing was written. Unavailable means it mostly: an answer may be lost behind a commit,
# and its repeat then meets the writer's own work, so writes have conditions, and ids that follow from what
# they are about. Every other failure must reach the caller.
_RETRY = AsyncRetry(
    if_exception_type(api.Aborted, api.ServiceUnavailable), initial=0.02, maximum=1, timeout=10
)


class Calls:
    """The calls of one client; the first opens its connection.

    Every method raises :class:`google.api_core.exceptions.GoogleAPIError` when Firestore refuses. Reads and
    commits that found it out of reach, or lost against another writer, are repeated for ten seconds.
    """

    def __init__(self, client: firestore.AsyncClient) -> None:
        self._client = client
        self._database: str = client._database_string
        routing = ("x-goog-request-params", f"database={quote(self._database, safe='')}")
        self._metadata = (*client._rpc_metadata, routing)
        self._batch_get = _RETRY(self._batch_get_once)
        self._commit = _RETRY(self._commit_once)
        self._run_query = _RETRY(self._run_query_once)

    def name(self, path: str) -> str:
        """Return the full name of the document at a path."""
        return f"{self._database}/documents/{path}"

    async def batch_get(self, paths: Iterable[str]) -> dict[str, Message]:
        """Return the documents that exist, by path."""
        names = {self.name(path): path for path in paths}
        documents = await self._batch_get(_BatchGetRequest(database=self._database, documents=names))
        return {names[document.name]: document for document in documents}

    async def commit(self, writes: Sequence[Message]) -> Message:
        """Apply all writes or none; return the answer: a time for each, and for all."""
        return await self._commit(_CommitRequest(database=self._database, writes=writes))

    async def run_query(self, query: Message) -> list[Message]:
        """Return the documents of a structured query."""
        request = _RunQueryRequest(parent=f"{self._database}/documents", structured_query=query)
        return await self._run_query(request)

    async def listen(self, path: str) -> AsyncGenerator[Message, None]:
        """Yield the document at a path as it is, if it is there, and every version that follows."""
        request = _ListenRequest(database=self._database)
        request.add_target.documents.documents.append(self.name(path))
        request.add_target.target_id = 1
        method = self._channel.stream_stream(
            "/google.firestore.v1.Firestore/Listen",
            request_serializer=_ListenRequest.SerializeToString,
            response_deserializer=_ListenResponse.FromString,
        )
        call = method(metadata=self._metadata)
        try:
            await call.write(request)
            async for response in call:
                if response.HasField("document_change"):
                    yield response.document_change.document
        except grpc.aio.AioRpcError as error:
            raise _named(error) from None
        finally:
            call.cancel()

    @property
    def _channel(self) -> grpc.aio.Channel:
        return self._client._firestore_api.transport.grpc_channel

    async def _batch_get_once(self, request: Message) -> list[Message]:
        method = self._channel.unary_stream(
            "/google.firestore.v1.Firestore/BatchGetDocuments",
            request_serializer=_BatchGetRequest.SerializeToString,
            response_deserializer=_BatchGetResponse.FromString,
        )
        call = method(request, metadata=self._metadata, timeout=ATTEMPT_SECONDS)
        try:
            return [response.found async for response in call if response.HasField("found")]
        except grpc.aio.AioRpcError as error:
            raise _named(error) from None

    async def _run_query_once(self, request: Message) -> list[Message]:
        method = self._channel.unary_stream(
            "/google.firestore.v1.Firestore/RunQuery",
            request_serializer=_RunQueryRequest.SerializeToString,
            response_deserializer=_RunQueryResponse.FromString,
        )
        call = method(request, metadata=self._metadata, timeout=ATTEMPT_SECONDS)
        try:
            return [response.document async for response in call if response.HasField("document")]
        except grpc.aio.AioRpcError as error:
            raise _named(error) from None

    async def _commit_once(self, request: Message) -> Message:
        method = self._channel.unary_unary(
            "/google.firestore.v1.Firestore/Commit",
            request_serializer=_CommitRequest.SerializeToString,
            response_deserializer=_CommitResponse.FromString,
        )
        try:
            answer = await method(request, metadata=self._metadata, timeout=ATTEMPT_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _named(error) from None
        return cast("Message", answer)


def _named(error: grpc.aio.AioRpcError) -> Exception:
    named: Exception = api.from_grpc_error(error)  # type: ignore[no-untyped-call]  # it has no types
    return named

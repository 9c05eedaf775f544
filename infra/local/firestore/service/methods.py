"""The table of methods: how each is framed, and what happens when it fails."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import NoReturn, Protocol, TypeVar

import grpc

from infra.local.firestore import wire
from infra.local.firestore.refusal import Refusal
from infra.local.firestore.service.backend import Backend
from infra.local.firestore.service.commits import Commits
from infra.local.firestore.service.documents import Documents
from infra.local.firestore.service.listen import listen
from infra.local.firestore.service.listings import Listings
from infra.local.firestore.service.queries import Queries

SERVICE = "google.firestore.v1.Firestore"
_LOG = logging.getLogger("podium.local.firestore")

Request = TypeVar("Request", bound=wire.Message)


class Context(Protocol):
    """What the handlers use of a gRPC call."""

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Ends the call with a status."""


def handlers(backend: Backend) -> grpc.GenericRpcHandler:
    """The service. Methods that are not listed answer UNIMPLEMENTED."""
    documents, commits = Documents(backend), Commits(backend)
    queries, listings = Queries(backend), Listings(backend)
    table = {
        "GetDocument": _unary(documents.get, wire.GetDocumentRequest),
        "BatchGetDocuments": _stream(documents.batch_get, wire.BatchGetDocumentsRequest),
        "CreateDocument": _unary(documents.create, wire.CreateDocumentRequest),
        "UpdateDocument": _unary(documents.update, wire.UpdateDocumentRequest),
        "DeleteDocument": _unary(documents.delete, wire.DeleteDocumentRequest),
        "Commit": _unary(commits.commit, wire.CommitRequest),
        "BatchWrite": _unary(commits.batch_write, wire.BatchWriteRequest),
        "BeginTransaction": _unary(commits.begin_transaction, wire.BeginTransactionRequest),
        "Rollback": _unary(commits.rollback, wire.RollbackRequest),
        "RunQuery": _stream(queries.run, wire.RunQueryRequest),
        "RunAggregationQuery": _stream(queries.aggregate, wire.RunAggregationQueryRequest),
        "PartitionQuery": _unary(listings.partitions, wire.PartitionQueryRequest),
        "ListDocuments": _unary(listings.documents, wire.ListDocumentsRequest),
        "ListCollectionIds": _unary(listings.collection_ids, wire.ListCollectionIdsRequest),
        "Listen": _duplex(lambda requests: listen(backend, requests), wire.ListenRequest),
    }
    return grpc.method_handlers_generic_handler(SERVICE, table)


def _unary(method: Callable[[Request], Awaitable[bytes]], request: type[Request]) -> grpc.RpcMethodHandler:
    async def handle(message: Request, context: Context) -> bytes:
        try:
            return await method(message)
        except Exception as error:  # noqa: BLE001 - whatever happens is told to the caller as a status
            return await _fail(error, context)

    return grpc.unary_unary_rpc_method_handler(handle, request_deserializer=request.FromString)


def _stream(
    method: Callable[[Request], AsyncGenerator[bytes]], request: type[Request]
) -> grpc.RpcMethodHandler:
    async def handle(message: Request, context: Context) -> AsyncIterator[bytes]:
        try:
            async with aclosing(method(message)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:  # noqa: BLE001 - whatever happens is told to the caller as a status
            await _fail(error, context)

    return grpc.unary_stream_rpc_method_handler(handle, request_deserializer=request.FromString)


def _duplex(
    method: Callable[[AsyncIterator[Request]], AsyncGenerator[bytes]], request: type[Request]
) -> grpc.RpcMethodHandler:
    async def handle(messages: AsyncIterator[Request], context: Context) -> AsyncIterator[bytes]:
        try:
            async with aclosing(method(messages)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:  # noqa: BLE001 - whatever happens is told to the caller as a status
            await _fail(error, context)

    return grpc.stream_stream_rpc_method_handler(handle, request_deserializer=request.FromString)


async def _fail(error: Exception, context: Context) -> bytes:
    """Ends the call with the status that fits the error."""
    if isinstance(error, Refusal):
        await context.abort(error.code, error.message)
    if isinstance(error, sqlite3.Error):
        # A status that clients do not retry: a full disk or a lost file does not heal in five minutes.
        _LOG.error("storage failed: %s", error)
        await context.abort(grpc.StatusCode.DATA_LOSS, "The storage of the server failed; see its log.")
    _LOG.exception("a request failed", exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, "An internal error occurred.")

"""Queries and aggregations."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from infra.local.firestore.query.aggregation import aggregate, tallies
from infra.local.firestore.query.execution import QueryFootprint, path_of
from infra.local.firestore.query.model import Query
from infra.local.firestore.query.nearest import nearest
from infra.local.firestore.query.parse import parse_query
from infra.local.firestore.query.planner import plan
from infra.local.firestore.query.run import slices
from infra.local.firestore.service.answers import document_bytes, moment_bytes
from infra.local.firestore.service.backend import Backend, Moment, moment
from infra.local.firestore.storage import Row
from infra.local.firestore.store import parsed
from infra.local.firestore.wire import (
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    framed,
    timestamp,
)

_DOCUMENT, _TRANSACTION, _READ_TIME = 1, 2, 3


class Queries:
    """The RPCs that search."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def run(self, request: RunQueryRequest) -> AsyncGenerator[bytes]:
        """RunQuery: one answer per document, or a single one with the read time when there is none."""
        wire = request.structured_query
        query = parse_query(request.parent, wire)
        plans = plan(query, self._backend.catalogue)
        seen = await moment(self._backend, request, query.source.root)
        read_time = framed(_READ_TIME, moment_bytes(seen.shown))
        if seen.opened:
            yield framed(_TRANSACTION, seen.opened)
        footprint = self._footprint(query, seen)
        pages = slices(self._backend.store, query, plans, seen.at)
        if wire.HasField("find_nearest"):
            pages = nearest(pages, wire.find_nearest)
        sent, last = 0, None
        async with aclosing(pages):
            async for page in pages:
                for row in page:
                    yield framed(_DOCUMENT, document_bytes(row, query.projection)) + read_time
                sent += len(page)
                last = page[-1] if page else last
        if footprint is not None and not wire.HasField("find_nearest"):
            _narrow(footprint, sent, last)
        if not sent:
            yield read_time

    async def aggregate(self, request: RunAggregationQueryRequest) -> AsyncGenerator[bytes]:
        """RunAggregationQuery: one answer."""
        wire = request.structured_aggregation_query
        query = parse_query(request.parent, wire.structured_query)
        found = tallies(list(wire.aggregations))
        seen = await moment(self._backend, request, query.source.root)
        self._footprint(query, seen)
        await aggregate(self._backend.store, self._backend.catalogue, query, found, seen.at)
        answer = RunAggregationQueryResponse(read_time=timestamp(seen.shown), transaction=seen.opened)
        for tally in found:
            answer.result.aggregate_fields[tally.alias].CopyFrom(tally.result())
        yield answer.SerializeToString()

    @staticmethod
    def _footprint(query: Query, seen: Moment) -> QueryFootprint | None:
        """Makes a read-write transaction remember that it saw the results of a query."""
        if seen.recorded is None:
            return None
        footprint = QueryFootprint(query)
        seen.recorded.footprints.append(footprint)
        return footprint


def _narrow(footprint: QueryFootprint, sent: int, last: Row | None) -> None:
    """A query that stopped at its limit did not see what lies behind its last result."""
    if last is not None and sent == footprint.query.limit:
        footprint.last = footprint.query.sort_key(path_of(last), parsed(last).fields)

"""Queries that cannot leave their tenant: a collection below the tenant's own document, or a filter on it.

No query is built anywhere else, and none can be built without saying whose documents it may return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, cast

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.model.document import Document
from shared.store.counts import count
from shared.store.reading import read
from shared.store.refs import Ref
from shared.store.store import Found, Store
from shared.store.values import moment

D = TypeVar("D", bound=Document)

Operator = Literal["==", ">=", ">", "<=", "<", "in", "array_contains", "array_contains_any"]

TENANT_FIELDS = ("organization_id", "process_instance_id", "project_id", "process_id", "user_id")
"""The fields that bind a document of a top-level collection to whom it belongs."""

TENANT_ROOTS = ("organizations", "processInstances", "projects", "processes", "rollouts")
"""The collections whose documents have collections of their own."""

DOCUMENT_NAME = "__name__"
"""Stands for the document's own name in an order: what tells documents with equal fields apart."""

MOST_ENTRIES = 30
"""Values of a condition that Firestore takes."""


@dataclass(frozen=True, slots=True)
class Query(Generic[D]):
    """A query of one tenant's documents; made by :func:`owned_by` or :func:`below`."""

    collection: str
    model: type[D]
    conditions: tuple[tuple[str, Operator, object], ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start_after: tuple[object, ...] | None = None
    limit: int | None = None
    projected: bool = False
    spread: bool = False
    """Whether all collections of that name are meant, below whatever documents they are."""

    def where(self, name: str, operator: Operator, value: object) -> Query[D]:
        """Return the query with one more condition on a field (snake_case name; ``field.key`` in a map)."""
        return replace(self, conditions=(*self.conditions, (name, operator, value)))

    def newest_first(self, name: str) -> Query[D]:
        """Return the query in descending order of a field."""
        return replace(self, order=(*self.order, (name, True)))

    def oldest_first(self, name: str) -> Query[D]:
        """Return the query in ascending order of a field."""
        return replace(self, order=(*self.order, (name, False)))

    def after(self, *values: object) -> Query[D]:
        """Return the query continued behind these values of its order's fields; a name's value is a Ref."""
        return replace(self, start_after=values)

    def at_most(self, limit: int) -> Query[D]:
        """Return the query with a limit."""
        return replace(self, limit=limit)

    def fields_only(self) -> Query[D]:
        """Return the query reading only the fields its model has, of documents that have more."""
        return replace(self, projected=True)


def owned_by(collection: str, model: type[D], tenant_field: str, tenant_id: str) -> Query[D]:
    """Return a query of a top-level collection's documents that belong to one tenant.

    Raises:
        ValueError: ``tenant_field`` is no field that binds a document to a tenant.
    """
    if tenant_field not in TENANT_FIELDS:
        raise ValueError(f"{tenant_field} does not bind a document to a tenant")
    return Query(collection, model).where(tenant_field, "==", tenant_id)


def below(owner: Ref[Any], collection: str, model: type[D]) -> Query[D]:
    """Return a query of the collection below a tenant's own document.

    Raises:
        ValueError: ``owner`` is no document of a tenant.
    """
    if owner.path.split("/")[0] not in TENANT_ROOTS:
        raise ValueError(f"{owner.path} belongs to no tenant")
    return Query(f"{owner.path}/{collection}", model)


def across(collection: str, model: type[D], tenant_field: str, tenant_id: str) -> Query[D]:
    """Return a query of the documents of one tenant in all collections of a name, wherever they are.

    Raises:
        ValueError: ``tenant_field`` is no field that binds a document to a tenant.
    """
    return replace(owned_by(collection, model, tenant_field, tenant_id), spread=True)


def offered_to(model: type[D], entries: Sequence[str]) -> Query[D]:
    """Return a query of the listings that are shown to an audience; ``entries`` are of their index.

    Raises:
        ValueError: nobody is asked for, or more than Firestore takes at once.
    """
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise ValueError(f"a listing is offered to 1 to {MOST_ENTRIES} audiences at once")
    return Query("listings", model).where("index", "array_contains_any", list(entries))


async def find(store: Store, query: Query[D]) -> list[Found[D]]:
    """Return the documents of a query: one round trip, one read for each document."""
    built = _built(store.client, query)
    found = [found_in(query.model, snapshot) async for snapshot in built.stream()]
    count(queries=1, round_trips=1, reads=len(found))
    return found


def found_in(model: type[D], snapshot: Any) -> Found[D]:
    """Return a document of the client library's results.

    Raises:
        Unreadable: it does not fit its model.
    """
    path, updated = snapshot.reference.path, snapshot.update_time
    # The library gives a datetime for queries of one collection, and a protobuf Timestamp for all others.
    changed = updated if isinstance(updated, datetime) else moment(updated)
    return Found(Ref(path, model), read(model, path, snapshot.to_dict()), changed)


async def tally(store: Store, query: Query[Any]) -> int:
    """Return how many documents a query has, at most its limit: one round trip, one read per thousand."""
    aggregation: Any = _built(store.client, query).count()
    ((answer,),) = await aggregation.get()
    total = int(answer.value)
    count(queries=1, round_trips=1, reads=max(1, total // 1000))
    return total


def _built(client: firestore.AsyncClient, query: Query[Any]) -> firestore.AsyncQuery:
    collection: Any = (
        client.collection_group(query.collection) if query.spread else client.collection(query.collection)
    )
    for name, operator, value in query.conditions:
        collection = collection.where(filter=FieldFilter(_wire(query, name), operator, value))
    for name, descending in query.order:
        direction = firestore.Query.DESCENDING if descending else firestore.Query.ASCENDING
        collection = collection.order_by(_wire(query, name), direction=direction)
    if query.start_after is not None:
        fields = [_wire(query, name) for name, _ in query.order]
        values = [client.document(v.path) if isinstance(v, Ref) else v for v in query.start_after]
        collection = collection.start_after(dict(zip(fields, values, strict=True)))
    if query.limit is not None:
        collection = collection.limit(query.limit)
    if query.projected:
        collection = collection.select([field.alias for field in query.model.model_fields.values()])
    return cast("firestore.AsyncQuery", collection)


def _wire(query: Query[Any], name: str) -> str:
    if name == DOCUMENT_NAME:
        return name
    name, dot, key = name.partition(".")
    if dot:
        return f"{_wire(query, name)}.{key}"
    return query.model.model_fields[name].alias or name

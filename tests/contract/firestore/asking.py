"""Queries in fewer words."""

from __future__ import annotations

from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

Query = firestore.AsyncQuery
Asked = firestore.AsyncQuery | firestore.AsyncCollectionReference


def where(query: Asked, *conditions: tuple[str, str, object]) -> Query:
    """The query with one more filter per condition."""
    for field, operator, operand in conditions:
        query = query.where(filter=FieldFilter(field, operator, operand))
    assert isinstance(query, Query), "there is a condition"
    return query


async def ids(query: Asked) -> list[str]:
    """The ids of the results, in order."""
    return [snapshot.id async for snapshot in query.stream()]


async def value(aggregation: Any, transaction: firestore.AsyncTransaction | None = None) -> object:
    """The first value of an aggregation, whose methods are typed wrongly."""
    return (await aggregation.get(transaction=transaction))[0][0].value


async def everything(query: Any) -> list[firestore.DocumentSnapshot[Any]]:
    """The results of a vector query, which is typed as a blocking one."""
    return list(await query.get())

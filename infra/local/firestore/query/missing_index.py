"""The refusal of a query without an index, with the declaration to paste into ``firestore.indexes.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from infra.local.firestore.fields import DOCUMENT_NAME
from infra.local.firestore.indexes import FieldRule, Mode, Scope
from infra.local.firestore.query.model import OrderBy
from infra.local.firestore.refusal import Refusal, unfit


def composite(
    group: str, scope: Scope, equal: Sequence[str], contains: Sequence[str], suffix: Sequence[OrderBy]
) -> Refusal:
    """The refusal that names a composite index."""
    columns = [{"fieldPath": path, "order": "ASCENDING"} for path in equal]
    columns += [{"fieldPath": path, "arrayConfig": "CONTAINS"} for path in contains]
    columns += [{"fieldPath": order.path, "order": _direction(order)} for order in _declared(suffix)]
    entry = {"collectionGroup": group, "queryScope": str(scope), "fields": columns}
    return _refusal("indexes", entry)


def single(group: str, scope: Scope, path: str, mode: Mode, rule: FieldRule) -> Refusal:
    """The refusal that names the index of one field, beside those it has."""
    kept = [(kind, where) for where in Scope for kind in Mode if rule.has(where, kind)]
    wanted = [*kept, (mode, scope)]
    entry: dict[str, object] = {"collectionGroup": group, "fieldPath": path}
    if rule.ttl:
        entry["ttl"] = True
    entry["indexes"] = [
        {("arrayConfig" if kind is Mode.CONTAINS else "order"): str(kind), "queryScope": str(where)}
        for kind, where in wanted
    ]
    return _refusal("fieldOverrides", entry)


def _direction(order: OrderBy) -> str:
    return "DESCENDING" if order.descending else "ASCENDING"


def _declared(suffix: Sequence[OrderBy]) -> Sequence[OrderBy]:
    """The order without the document name where that follows by itself."""
    *columns, last = suffix
    implied = columns[-1].descending if columns else False
    return columns if last.path == DOCUMENT_NAME and last.descending == implied else suffix


def _refusal(section: str, entry: object) -> Refusal:
    declaration = json.dumps(entry, ensure_ascii=False)
    return unfit(
        f'The query requires an index. Add it to "{section}" of firestore.indexes.json: {declaration}'
    )

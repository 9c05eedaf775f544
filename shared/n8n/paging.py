"""Reading n8n's lists page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from shared.n8n.errors import N8nUnreachable
from shared.n8n.rest import Parameters, Rest

LARGEST_PAGE = 250
"""Rows n8n returns at most."""

Row = dict[str, object]


async def pages(rest: Rest, action: str, path: str, params: Parameters) -> AsyncIterator[list[Row]]:
    """Yield the pages of a list in n8n's order.

    Raises:
        N8nUnreachable: no usable answer.
        N8nRefused: n8n answered with an error.
    """
    asked = dict(params)
    while True:
        answer = await rest.call(action, "GET", path, params=asked)
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
            raise N8nUnreachable(rest.base_url, "the answer is no list")
        yield [row for row in answer["data"] if isinstance(row, dict)]
        cursor = answer.get("nextCursor")
        if not isinstance(cursor, str) or not cursor:
            return
        asked["cursor"] = cursor

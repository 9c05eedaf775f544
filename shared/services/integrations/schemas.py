"""What n8n says about its credential types, remembered for a while (api §5.17)."""

from __future__ import annotations

import time
from collections import OrderedDict

from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused

Schema = dict[str, object]

_KEPT_SECONDS = 600.0
_MOST = 200

_known: OrderedDict[tuple[str, str], tuple[float, Schema]] = OrderedDict()
"""By address of the n8n and type; in the memory of this process."""


async def credential_schema(client: N8nClient, credential_type: str) -> Schema | None:
    """Return n8n's schema of a credential type, at most ten minutes old; ``None`` when it has no such type.

    Raises:
        UpstreamError: n8n cannot be asked.
    """
    now, key = time.monotonic(), (client.base_url, credential_type)
    if key in _known and _known[key][0] > now:
        return _known[key][1]
    try:
        schema = await client.credential_schema(credential_type)
    except N8nRefused as error:
        if error.n8n_status != 404:
            raise
        return None
    _known[key] = (now + _KEPT_SECONDS, schema)
    _known.move_to_end(key)
    while len(_known) > _MOST:
        _known.popitem(last=False)
    return schema

"""The validation rules at deploy, without holding up other requests (decision 0032)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shared.validation.at_deploy import refuse_findings

_AT_ONCE = 200_000
"""Characters that are checked in some ten milliseconds."""


async def refuse_broken_rules(texts: Mapping[str, str]) -> None:
    """Check workflow files by template id, as :func:`shared.validation.at_deploy.refuse_findings`.

    Raises:
        InvalidConfiguration: a rule says ``must``.
    """
    if sum(map(len, texts.values())) <= _AT_ONCE:
        refuse_findings(texts)
    else:
        await asyncio.to_thread(refuse_findings, texts)

"""The error table as the page ``docs/errors.md``."""

from __future__ import annotations

from shared.executions.errors.kinds import Action
from shared.executions.errors.table import TABLE

_HEAD = """# Errors of runs

A run that failed has `errorDetails` with a `type` (one of five), a stable `code`, a `message`, and what
follows from the code: `hint`, `action` and `retryable`. Programs decide by `code`, `action` or `retryable`;
messages are the service's or the author's and may change. A workflow that reports an error itself may use a
code of its own; it then has the hint of its type. What is `retryable` may well succeed when it is started
again as it was. This page is written from `shared/executions/errors/table.py` by `make artefacts`.

| code | type | what happened | what to do | action | retryable |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page, in Markdown."""
    rows = (
        f"| `{one.code}` | `{one.type}` | {one.meaning} | {one.hint} | `{one.action}` | "
        f"{'yes' if one.retryable else 'no'} |"
        for one in TABLE
    )
    actions = ", ".join(f"`{action}`" for action in Action)
    return f"{_HEAD}" + "\n".join(rows) + f"\n\nActions: {actions}.\n"

"""Structured logs: one JSON line each, with the field names Cloud Logging understands.

A query string never reaches a log, since it may carry an instance key.
"""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime

from shared import json_text
from shared.telemetry.current import log_fields


def log(severity: str, message: str, **fields: object) -> None:
    """Write one line to standard output."""
    entry: dict[str, object] = {
        "severity": severity,
        "message": message,
        "time": datetime.now(UTC).isoformat(),
    }
    entry |= {**log_fields(), **fields}
    sys.stdout.buffer.write(json_text.dumps(entry, default=str) + b"\n")
    sys.stdout.buffer.flush()


def log_exception(message: str, error: BaseException, **fields: object) -> None:
    """Write an error with its stack, without the values of any variable."""
    stack = "".join(traceback.format_exception(error))
    log("ERROR", message, stack_trace=stack, **fields)

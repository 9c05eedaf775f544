"""Entry of the supervisor process: ``python -m infra.local.stack.supervise``."""

from __future__ import annotations

import sys

# asyncio loads OpenSSL when it can, a quarter of this process's memory; nothing in it speaks TLS.
sys.modules["ssl"] = None  # type: ignore[assignment]  # None is how an import is refused

from infra.local.stack.supervisor import main  # noqa: E402

if __name__ == "__main__":
    main()

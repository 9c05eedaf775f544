"""Gateways are born of a process that has imported everything already: that takes seconds, a birth none.

A gateway is a process of its own all the same, with an environment of its own; it can be killed like one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from multiprocessing.process import BaseProcess
from pathlib import Path

from functions import load_all
from infra.local.gateway.__main__ import main
from tests.support.stack import ROOT

load_all()

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(
    [
        __name__,
        # What a gateway imports with its first requests.
        *("shared.mail.configured", "shared.n8n.pool", "shared.tasks.oidc", "shared.tasks.queue"),
        *("shared.store.files", "shared.vault.secrets", "shared.vault.vault"),
        *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
    ]
)


def born(port: int, environ: Mapping[str, str], log: Path, errors: Path) -> BaseProcess:
    """Return a gateway that is about to serve at the port; what it logs goes into new files."""
    process = _NURSERY.Process(target=_serve, args=(port, dict(environ), log, errors), daemon=True)
    process.start()
    return process


def _serve(port: int, environ: dict[str, str], log: Path, errors: Path) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    for file, mode, stream in ((log, "wb", sys.stdout), (errors, "ab", sys.stderr)):
        with file.open(mode) as output:
            os.dup2(output.fileno(), stream.fileno())
        assert isinstance(stream, TextIOWrapper)
        # Who is killed has no time to write what it kept back.
        stream.reconfigure(write_through=True)
    sys.argv = ["infra.local.gateway", "--port", str(port)]
    main()

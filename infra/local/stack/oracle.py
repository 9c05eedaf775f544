"""Google's Firestore emulator, where a machine has it: ``up --firestore google``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import HOST

_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_IN_SDK = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"


def emulator_command(port: int, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the command that runs the emulator; it keeps its data in memory only.

    Raises:
        LocalStackError: Java or the emulator is not installed.
    """
    java = shutil.which("java", path=environ.get("PATH"))
    if java is None:
        raise LocalStackError("--firestore google needs Java 11 or newer, and no java was found")
    jar = next((jar for jar in _candidates(environ) if jar.is_file()), None)
    if jar is None:
        raise LocalStackError(
            "--firestore google needs Google's Firestore emulator; install it with "
            "`gcloud components install cloud-firestore-emulator` or name its jar in FIRESTORE_EMULATOR_JAR"
        )
    return (java, "-cp", str(jar), _MAIN, "start", f"--host={HOST}", f"--port={port}")


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("FIRESTORE_EMULATOR_JAR"):
        yield Path(named)
    if gcloud := shutil.which("gcloud", path=environ.get("PATH")):
        yield Path(gcloud).resolve().parents[1] / _IN_SDK
    yield Path("/usr/lib/google-cloud-sdk") / _IN_SDK
    downloads = Path("~/.cache/firebase/emulators").expanduser()
    yield from sorted(downloads.glob("cloud-firestore-emulator-v*.jar"), reverse=True)

"""Making ``.venv`` match the lock file; runs on the system's own Python with nothing installed.

``python3 -m infra.local.stack.venv`` does nothing when the environment was made from this very lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_OLDEST = (3, 11)
_SOURCES = ("functions", "shared", "infra")


class Missing(Exception):
    """The machine lacks something; the message is one sentence that says what."""


def ensure(folder: Path, lock: Path) -> bool:
    """Make the environment ``folder`` hold what ``lock`` says; return whether there was anything to do.

    Raises:
        Missing: Python is too old, its ``venv`` is not complete, or pip cannot install the packages.
    """
    mark = folder / ".lock-hash"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if _content(mark) == wanted:
        return False
    with _alone(lock):
        if _content(mark) == wanted:
            return False
        mark.unlink(missing_ok=True)
        _build(folder, lock)
        mark.write_text(wanted)
    return True


def _build(folder: Path, lock: Path) -> None:
    if sys.version_info < _OLDEST:
        raise Missing(
            f"Python {_dotted(_OLDEST)} or newer is needed, this one is {_dotted(sys.version_info)}"
        )
    python = folder / "bin" / "python"
    began = time.monotonic()
    if not _works(python):
        _require_venv()
        _say(f"creating {folder.name} with Python {_dotted(sys.version_info)}")
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], "the virtual environment cannot be made")
    _say(f"installing the locked packages into {folder.name} (the first time takes a minute or two)")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--require-hashes", "--requirement", str(lock)], "pip cannot install the locked packages")
    sources = [str(ROOT / name) for name in _SOURCES]
    _run([str(python), "-m", "compileall", "-q", *sources], "the sources cannot be compiled")
    _say(f"{folder.name} is ready ({time.monotonic() - began:.0f} s)")


def _require_venv() -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise Missing(
                f"the {module} module of Python {_dotted(sys.version_info)} is missing; "
                f"on Debian and Ubuntu: apt-get install python{_dotted(sys.version_info)}-venv"
            )


def _works(python: Path) -> bool:
    # Moved folders and upgraded systems leave environments whose interpreter or pip is gone.
    if not python.exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=_environment()
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise Missing(f"{failure}: {errors[-1].removeprefix('ERROR: ')}")


def _environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    # Another project's settings must not lead pip or Python elsewhere.
    ignored = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")
    return {**{k: v for k, v in environ.items() if k not in ignored}, "PIP_ROOT_USER_ACTION": "ignore"}


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    # `make up` beside `make test` on a fresh clone: the second waits for the first.
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _dotted(version: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in version[:2])


def _say(text: str) -> None:
    print(f"podium: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Bring ``.venv`` up to date and return the exit code."""
    try:
        ensure(ROOT / ".venv", ROOT / "requirements" / "dev.txt")
    except Missing as missing:
        _say(str(missing))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

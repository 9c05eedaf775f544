"""``python -m infra.operate storage-key|drift|metrics|credits|plan …``; ``--help`` tells the rest."""

from __future__ import annotations

import argparse
import asyncio
import fileinput
import sys
from collections.abc import Awaitable, Callable
from functools import partial

from infra.operate import credits
from infra.operate.drift import survey
from infra.operate.metrics import prometheus, read_figures
from shared.errors import PlatformError
from shared.model.keys import KeyRotation
from shared.services.keys.rotate import current_rotation, retire, rotate, walk
from shared.services.platform import Platform, open_platform
from shared.settings import read_settings


async def _rotate(platform: Platform) -> str:
    rotation = await rotate(platform)
    return (
        f"version {rotation.version} of the storage key is current; running processes learn of it within "
        f"{platform.settings.vault_key_age}. Then: rewrap"
    )


async def _rewrap(platform: Platform) -> str:
    return _described(await walk(platform))


async def _retire(platform: Platform) -> str:
    retired = await retire(platform)
    return f"disabled versions {', '.join(map(str, retired))}" if retired else "there is no older version"


async def _status(platform: Platform) -> str:
    return _described(await current_rotation(platform))


def _described(rotation: KeyRotation) -> str:
    if rotation.walk_started_at is None:
        return f"version {rotation.version} is current; nothing was sealed anew yet"
    state = "all stored secrets were looked at" if rotation.walk_ended_at else "not all were looked at yet"
    return (
        f"version {rotation.version} is current; {state}: {rotation.resealed} documents sealed anew, "
        f"{rotation.unreadable} unreadable"
    )


_COMMANDS: dict[str, Callable[[Platform], Awaitable[str]]] = {
    "rotate": _rotate,
    "rewrap": _rewrap,
    "retire": _retire,
    "status": _status,
}


async def _run(command: Callable[[Platform], Awaitable[str]]) -> int:
    platform = open_platform(read_settings())
    try:
        print(await command(platform))
    except PlatformError as error:
        print(error.message, file=sys.stderr)
        return 1
    finally:
        await platform.close()
    return 0


def main() -> int:
    """Run one command; 1 when the platform refuses."""
    parser = argparse.ArgumentParser(prog="infra.operate", description=__doc__)
    nouns = parser.add_subparsers(dest="noun", required=True)
    storage_key = nouns.add_parser("storage-key", help="the key that stored secrets are sealed with")
    storage_key.add_argument("command", choices=sorted(_COMMANDS))
    drift = nouns.add_parser("drift", help="what is otherwise in n8n than deployed, a JSON line each")
    drift.add_argument("--repair", action="store_true", help="deploy those once more")
    metrics = nouns.add_parser("metrics", help="figures from log lines, as Prometheus reads them")
    metrics.add_argument("files", nargs="*", help="files of log lines; standard input without any")
    credits.describe(nouns)
    given = parser.parse_args()
    if given.noun == "metrics":
        with fileinput.input(given.files, encoding="utf-8") as lines:
            print(prometheus(read_figures(lines)), end="")
        return 0
    if given.noun in ("credits", "plan"):
        return asyncio.run(_run(credits.chosen(given)))
    if given.noun == "drift":
        return asyncio.run(_run(partial(survey, repairs=given.repair)))
    return asyncio.run(_run(_COMMANDS[given.command]))


if __name__ == "__main__":
    sys.exit(main())

"""For people and scripts that use a running stack: its addresses as variables, and the npm CLI."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from infra.local.errors import LocalStackError
from infra.local.mail.mailbox import Mailbox
from infra.local.n8n import install, install_codika_cli
from infra.local.stack.addresses import cache_folder
from infra.local.stack.stack_file import StackContent, read_stack_file
from shared.errors import PlatformError

_WAIT_SECONDS = 5.0


def print_variables(state: Path) -> int:
    """Print ``export NAME=value`` lines for a shell: ``eval "$(./podium env)"``.

    Raises:
        LocalStackError: there is no stack.
    """
    for name, value in variables(state).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def print_code(state: Path, address: str) -> int:
    """Print the newest code mailed to an address, waiting a few seconds for the first one.

    Raises:
        LocalStackError: there is no stack, or no code came.
    """
    content = _content(state)
    # A stack that an earlier version started catches no mail until it is started again.
    mailbox = Mailbox(Path(str(content.get("mailbox", state / "mail" / "mailbox.jsonl"))))
    code = mailbox.newest_code(address, _WAIT_SECONDS)
    if code is None:
        raise LocalStackError(f"no code was mailed to {address}; ask for one first")
    print(code)
    return 0


def print_key(state: Path, process_instance_id: str) -> int:
    """Print the key of a process instance.

    Raises:
        LocalStackError: there is no stack, it is not up, or it has no such instance.
    """
    try:
        lines = (state / "functions.env").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise _no_stack(state) from None
    for line in lines:
        name, _, value = line.partition("=")
        os.environ[name] = value
    # The platform's own code loads the Google clients: only where it is needed.
    from google.api_core.exceptions import GoogleAPIError

    from infra.local.bootstrap.reveal import reveal_instance_key

    try:
        print(asyncio.run(reveal_instance_key(process_instance_id)))
    except (GoogleAPIError, PlatformError) as error:
        raise LocalStackError("the stack does not answer; `make up` starts it") from error
    return 0


def codika(state: Path, arguments: Sequence[str]) -> int:
    """Replace this process by the npm CLI, pointed at the stack as the first organization's owner.

    Raises:
        LocalStackError: there is no stack, or the CLI cannot be installed.
    """
    node, script = installed_cli()
    chosen = {name: value for name, value in variables(state).items() if name not in os.environ}
    environment = {**os.environ, **chosen, "NODE_NO_WARNINGS": "1"}
    os.execve(node, [str(node), str(script), *arguments], environment)


def installed_cli() -> tuple[Path, Path]:
    """Return node and the npm CLI's script, downloaded if they are not there yet.

    Raises:
        LocalStackError: the CLI cannot be installed.
    """
    return asyncio.run(_installed())


def variables(state: Path) -> dict[str, str]:
    """Return what a client of the stack needs; the demo's instance once the demo ran.

    Raises:
        LocalStackError: there is no stack.
    """
    content = _content(state)
    owner = cast("list[Mapping[str, object]]", content["organizations"])[0]
    found = {
        "CODIKA_BASE_URL": content["baseUrl"],
        "CODIKA_PUBLIC_KEY_URL": content["publicKeyUrl"],
        "CODIKA_API_KEY": owner["ownerKey"],
    }
    if demo := cast("Mapping[str, object] | None", content.get("demo")):
        found |= {
            "PODIUM_INSTANCE": demo["processInstanceId"],
            "PODIUM_INSTANCE_KEY": demo["instanceKey"],
            "PODIUM_WORKFLOW": demo["workflowId"],
            "PODIUM_PAYLOAD": json.dumps(demo["samplePayload"]),
        }
    return {name: str(value) for name, value in found.items()}


def _content(state: Path) -> StackContent:
    content = read_stack_file(state / "stack.json")
    if content is None:
        raise _no_stack(state)
    return content


def _no_stack(state: Path) -> LocalStackError:
    return LocalStackError(f"there is no stack in {state}; `make up` makes one")


async def _installed() -> tuple[Path, Path]:
    cache = cache_folder()
    installation = await install(cache, lambda step, fraction: None)
    return installation.node, await install_codika_cli(cache, installation)

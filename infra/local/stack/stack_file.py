"""The stack file: URLs and keys for scripts and acceptance runs, readable by its owner only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx

from infra.local.stack.addresses import Stack
from infra.local.stack.private_file import write_private

StackContent = dict[str, object]
_REQUIRED = ("publicKeyUrl", "adminKey", "organizations", "demo")


def read_stack_file(path: Path) -> StackContent | None:
    """Return the content of the stack file, or ``None`` when there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_stack_file(path: Path, content: Mapping[str, object]) -> None:
    """Replace the stack file; its mode is 0600."""
    write_private(path, json.dumps(content, indent=2) + "\n")


async def still_valid(content: Mapping[str, object], stack: Stack) -> bool:
    """Return whether ``content`` describes the running ``stack``: same addresses, and its key works.

    It stops being valid when the ports change or the data was deleted.
    """
    expected = {"baseUrl": stack.base_url, "n8nUrl": stack.n8n_url, "n8nApiKey": stack.n8n_api_key}
    if any(content.get(name) != value for name, value in expected.items()):
        return False
    key = _owner_key(content)
    return key is not None and all(name in content for name in _REQUIRED) and await _accepted(stack, key)


def _owner_key(content: Mapping[str, object]) -> str | None:
    match content.get("organizations"):
        case [{"ownerKey": str(key)}, *_]:
            return key
        case _:
            return None


async def _accepted(stack: Stack, key: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            answer = await http.post(f"{stack.base_url}/verifyapikey", headers={"X-API-Key": key})
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK

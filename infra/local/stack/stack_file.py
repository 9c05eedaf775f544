"""The stack file: URLs and keys for scripts and acceptance runs, readable by its owner only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx

from infra.local.stack.addresses import Stack
from infra.local.stack.private_file import write_private

StackContent = dict[str, object]
_REQUIRED = ("baseUrl", "publicKeyUrl", "adminKey", "organizations", "demo")


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


async def carried_over(content: Mapping[str, object], stack: Stack, *, own_n8n: bool) -> StackContent | None:
    """Return ``content`` with the addresses of the running ``stack``, or ``None`` when its keys are no use.

    They are none when the data was deleted, or when the organizations live in another n8n: one the stack
    runs itself is known by its API key, one of the user's by its address as well.
    """
    key = _owner_key(content)
    same_key = content.get("n8nApiKey") == stack.n8n_api_key
    same_n8n = same_key or (not own_n8n and content.get("n8nUrl") == stack.n8n_url)
    if key is None or not same_n8n or not all(name in content for name in _REQUIRED):
        return None
    if not await _accepted(stack, key):
        return None
    return {
        **content,
        "baseUrl": stack.base_url,
        "publicKeyUrl": str(content["publicKeyUrl"]).replace(str(content["baseUrl"]), stack.base_url),
        "n8nUrl": stack.n8n_url,
        "n8nApiKey": stack.n8n_api_key,
        "mailbox": str(stack.mailbox),
        "smtp": stack.smtp,
    }


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

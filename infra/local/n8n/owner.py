"""Giving a fresh n8n its owner, and the platform an API key."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from pathlib import Path

import httpx

from infra.local.errors import LocalStackError
from infra.local.n8n.launch import readiness_url
from infra.local.stack.private_file import write_private

_KEY_FILE, _OWNER_FILE = "n8n-api-key", "n8n-owner.json"
_EMAIL = "owner@podium.local"
_PAUSE_SECONDS = 0.2


async def prepare(base_url: str, state_dir: Path, *, ready_within: float = 180.0) -> str:
    """Wait until n8n serves, make its owner if it has none, and return an API key with all scopes.

    The key and the owner's password are kept in ``state_dir``, readable by their owner only; a second call
    returns the same key. ``ready_within`` is in seconds.

    Raises:
        LocalStackError: n8n is not ready in time, or has an owner whose password is not in ``state_dir``.
    """
    async with httpx.AsyncClient(base_url=base_url.rstrip("/"), timeout=30, trust_env=False) as http:
        await _until_ready(http, base_url, ready_within)
        try:
            key = _kept_key(state_dir)
            if key is None or not await _works(http, key):
                key = await _new_key(http, state_dir)
                write_private(state_dir / _KEY_FILE, f"{key}\n")
        except httpx.HTTPError as error:
            raise LocalStackError(f"n8n at {base_url} stopped answering during its setup") from error
    return key


async def _until_ready(http: httpx.AsyncClient, base_url: str, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if (await http.get(readiness_url(""), timeout=5)).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(_PAUSE_SECONDS)
    raise LocalStackError(f"n8n at {base_url} was not ready within {seconds:g} s; its log says why")


def _kept_key(state_dir: Path) -> str | None:
    try:
        return (state_dir / _KEY_FILE).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


async def _works(http: httpx.AsyncClient, key: str) -> bool:
    answer = await http.get("/api/v1/workflows", params={"limit": 1}, headers={"X-N8N-API-KEY": key})
    return answer.status_code == httpx.codes.OK


async def _new_key(http: httpx.AsyncClient, state_dir: Path) -> str:
    password = _password(state_dir)
    owner = {"email": _EMAIL, "firstName": "Podium", "lastName": "Owner", "password": password}
    # 400 when there is an owner already: then signing in shows whether it is ours.
    await http.post("/rest/owner/setup", json=owner)
    signed_in = await http.post("/rest/login", json={"emailOrLdapLoginId": _EMAIL, "password": password})
    if signed_in.status_code != httpx.codes.OK:
        raise LocalStackError(
            f"this n8n has an owner already, and {state_dir / _OWNER_FILE} does not hold the password; "
            "create an API key in n8n (Settings, n8n API) and give it with --n8n-url and --n8n-api-key"
        )
    scopes = (await http.get("/rest/api-keys/scopes")).raise_for_status().json()["data"]
    label = f"podium-{secrets.token_hex(4)}"
    wanted = {"label": label, "scopes": scopes, "expiresAt": None}
    made = await http.post("/rest/api-keys", json=wanted)
    return str(made.raise_for_status().json()["data"]["rawApiKey"])


def _password(state_dir: Path) -> str:
    file = state_dir / _OWNER_FILE
    if not file.exists():
        # n8n wants 8 to 64 characters with a digit and a capital letter.
        password = f"P1-{secrets.token_urlsafe(24)}"
        write_private(file, json.dumps({"email": _EMAIL, "password": password}))
    return str(json.loads(file.read_text(encoding="utf-8"))["password"])

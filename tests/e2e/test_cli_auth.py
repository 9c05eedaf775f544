"""Signing up and logging in with the npm CLI, the mail read from the stack's mailbox."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.model.organization import Role
from shared.model.user import address_digest
from shared.services.organizations.members import add_member
from shared.store import refs
from tests.e2e.conftest import Answer, CodikaCli
from tests.support.stack import RunningStack, podium


@pytest.fixture
def cli(codika: CodikaCli, tmp_path: Path) -> CodikaCli:
    """The CLI of somebody who never used it."""
    return replace(codika, home=tmp_path)


@pytest.fixture
def address() -> str:
    return f"builder-{secrets.token_hex(6)}@example.com"


@pytest.fixture
def code(stack: RunningStack) -> Callable[[str], str]:
    """``./podium code``: the newest code mailed to an address."""

    def newest(address: str) -> str:
        done = podium("code", address, "--state", str(stack.state))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return newest


def auth(cli: CodikaCli, command: str, address: str, *more: str) -> Answer:
    return cli("auth", command, "--email", address, *more)


def profile(home: Path) -> dict[str, Any]:
    """The active profile of the CLI's configuration."""
    (file,) = home.rglob("config.json")
    config = json.loads(file.read_text())
    return dict(config["profiles"][config["activeProfile"]])


def test_sign_up_then_work_with_the_new_key(
    cli: CodikaCli, address: str, code: Callable[[str], str], tmp_path: Path
) -> None:
    asked = auth(cli, "signup-request", address.upper(), "--json")
    assert asked.code == 0, asked.out + asked.err
    assert asked.json["data"] == {"email": address, "expiresInSeconds": 600}

    done = auth(
        cli,
        "signup-complete",
        address,
        "--code",
        code(address),
        "--company",
        "Café Nord",
        "--key-expires-in",
        "30",
    )
    assert done.code == 0, done.out + done.err
    assert "Café Nord" in done.out
    assert "CLI default key" in done.out
    assert "cko_" in done.out
    saved = profile(tmp_path)
    assert saved["apiKey"].startswith("cko_")
    assert saved["apiKey"] not in done.out
    assert saved["organizationName"] == "Café Nord"
    assert "expiresAt" in saved
    made = cli("project", "create", "--name", "First", "--path", str(tmp_path), key=saved["apiKey"])
    assert made.code == 0, made.out + made.err


def test_log_in_again_and_keep_both_keys(
    cli: CodikaCli, address: str, code: Callable[[str], str], tmp_path: Path
) -> None:
    assert auth(cli, "signup-request", address).code == 0
    assert auth(cli, "signup-complete", address, "--code", code(address)).code == 0
    first = profile(tmp_path)
    asked = auth(cli, "login-request", address)
    assert asked.code == 0, asked.out + asked.err
    assert address in asked.out

    done = auth(cli, "login-complete", address, "--code", code(address), "--key-name", "Laptop", "--json")
    assert done.code == 0, done.out + done.err
    assert done.json["data"]["apiKey"]["name"] == "Laptop"
    assert done.json["data"]["organizationName"] == "My Organization"
    second = profile(tmp_path)
    assert first["apiKey"] != second["apiKey"]
    for key in (first["apiKey"], second["apiKey"]):
        assert cli("whoami", key=key).code == 0


def test_wrong_codes_and_unknown_addresses_exit_with_one_and_say_what_to_do(
    cli: CodikaCli, address: str, code: Callable[[str], str]
) -> None:
    unknown = auth(cli, "login-request", address)
    assert unknown.code == 1
    assert "USER_NOT_FOUND" in unknown.err
    assert "signup-request" in unknown.err
    assert auth(cli, "signup-request", address).code == 0
    soon = auth(cli, "signup-request", address)
    assert (soon.code, "OTP_RESEND_COOLDOWN" in soon.err) == (1, True)

    right = code(address)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    refused = auth(cli, "signup-complete", address, "--code", wrong)
    assert refused.code == 1
    assert "OTP_INVALID" in refused.err
    assert "4 tries" in refused.err
    mistyped = auth(cli, "signup-complete", address, "--code", right, "--key-expires-in", "many", "--json")
    assert mistyped.code == 1
    assert mistyped.json["error"]["code"] == "INVALID_EXPIRES_IN_DAYS"
    assert auth(cli, "login-complete", address, "--code", right).code == 1
    assert auth(cli, "signup-complete", address, "--code", right).code == 0
    again = auth(cli, "signup-request", address)
    assert (again.code, "USER_ALREADY_HAS_ORGANIZATION" in again.err) == (1, True)


def test_a_member_of_several_organizations_is_shown_them_and_picks_one_with_the_same_code(
    cli: CodikaCli, address: str, code: Callable[[str], str], stack: RunningStack, tmp_path: Path
) -> None:
    assert auth(cli, "signup-request", address).code == 0
    assert auth(cli, "signup-complete", address, "--code", code(address), "--company", "Own").code == 0
    own = profile(tmp_path)["organizationId"]
    second = stack.content["organizations"][1]
    asyncio.run(_join(stack, address, second["organizationId"]))
    assert auth(cli, "login-request", address).code == 0

    several = auth(cli, "login-complete", address, "--code", code(address))
    assert several.code == 1
    assert "MULTIPLE_ORGANIZATIONS" in several.err
    for known, name in ((own, "Own"), (second["organizationId"], second["name"])):
        assert f"{known}  {name}" in several.err
    picked = auth(
        cli, "login-complete", address, "--code", code(address), "--organization-id", second["organizationId"]
    )
    assert picked.code == 0, picked.out + picked.err
    assert profile(tmp_path)["organizationId"] == second["organizationId"]


def test_the_key_of_an_instance_nobody_has_is_one_sentence(stack: RunningStack) -> None:
    done = podium("key", "nothing", "--state", str(stack.state))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "podium: there is no process instance nothing\n"


async def _join(stack: RunningStack, address: str, organization_id: str) -> None:
    async with stack.platform() as platform:
        claim = await platform.store.get(refs.email_claim(address_digest(address)))
        assert claim is not None
        await add_member(platform, organization_id, claim.value.user_id, Role.MEMBER)

"""Keys and organizations with the npm CLI (api §5.1 – §5.4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import RunningStack

PNG = b"\x89PNG\r\n\x1a\n"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def newcomer(codika: CodikaCli, tmp_path: Path) -> CodikaCli:
    """The CLI of somebody who never logged in."""
    return CodikaCli(codika.stack, tmp_path / "home", codika.key)


@pytest.fixture(scope="module")
def personal(stack: RunningStack) -> str:
    return stack.key(0, "personalKey")


def organization_id(stack: RunningStack) -> str:
    return str(stack.content["organizations"][0]["organizationId"])


def profiles(cli: CodikaCli) -> dict[str, Any]:
    """The profiles the CLI saved."""
    file = cli.home / "codika" / "config.json"
    return dict(json.loads(file.read_text())["profiles"]) if file.exists() else {}


def asked(stack: RunningStack, path: str, key: str, **query: str) -> dict[str, Any]:
    headers = {"X-API-Key": key}
    answer = httpx.get(f"{stack.base_url}/{path}", params=query, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


@pytest.mark.parametrize("command", [("login",), ("config", "set")])
def test_a_key_is_saved_with_what_the_platform_says_of_it(
    newcomer: CodikaCli, stack: RunningStack, command: tuple[str, ...]
) -> None:
    answer = newcomer(*command, "--api-key", stack.owner_key, "--base-url", stack.base_url)

    assert answer.code == 0, answer.out + answer.err
    (profile,) = profiles(newcomer).values()
    assert profile["organizationId"] == organization_id(stack)
    assert profile["organizationName"] == "Atelier Nord"
    assert profile["type"] == "org-api-key"
    assert len(profile["scopes"]) == 10


@pytest.mark.parametrize("command", [("login",), ("config", "set")])
def test_a_refused_key_is_not_saved(newcomer: CodikaCli, command: tuple[str, ...]) -> None:
    answer = newcomer(*command, "--api-key", "cko_" + "x" * 64)

    assert answer.code == 1
    assert "invalid" in (answer.out + answer.err).lower()
    assert profiles(newcomer) == {}


def test_whoami_tells_live_what_the_key_is(newcomer: CodikaCli, stack: RunningStack) -> None:
    newcomer("login", "--api-key", stack.owner_key, "--base-url", stack.base_url)

    answer = newcomer("whoami", "--json")

    assert answer.code == 0, answer.out + answer.err
    assert organization_id(stack) in answer.out
    assert "owner key" in answer.out
    assert "cached" not in newcomer("whoami").out.lower()


def test_whoami_with_a_personal_key_names_no_organization(codika: CodikaCli, personal: str) -> None:
    answer = codika("whoami", key=personal)

    assert answer.code == 0
    assert "Atelier" not in answer.out


def test_an_organization_is_created_with_its_logo_and_used(
    codika: CodikaCli, stack: RunningStack, personal: str, tmp_path: Path
) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PNG + bytes(5 * MEBIBYTE - len(PNG)))
    arguments = ["--name", "Comptoir Est", "--description", "East", "--size", "2-10", "--logo", str(logo)]

    answer = codika("organization", "create", *arguments, "--json", key=personal)

    assert answer.code == 0, answer.out + answer.err
    assert answer.json["requestId"]
    created = answer.json["data"]["organizationId"]
    seen = asked(stack, "getOrganization", personal, organizationId=created)
    assert (seen["name"], seen["description"], seen["size"]) == ("Comptoir Est", "East", "2-10")
    assert httpx.get(seen["logoUrl"], trust_env=False).content == logo.read_bytes()
    granted = codika(
        *("organization", "create-key", "--organization-id", created, "--name", "CLI", "--json"),
        *("--scopes", "projects:create,projects:read"),
        key=personal,
    )
    assert granted.code == 0, granted.out + granted.err
    made = codika("project", "create", "--name", "First", "--json", key=_raw(granted.json))
    assert made.code == 0, made.out + made.err


def test_an_organization_with_its_own_n8n_is_furnished_there(
    codika: CodikaCli, stack: RunningStack, personal: str
) -> None:
    url, key = stack.content["n8nUrl"], stack.content["n8nApiKey"]
    own = ["--n8n-base-url", url, "--n8n-api-key", key, "--store-credential-copy"]

    answer = codika("organization", "create", "--name", "Own", *own, "--json", key=personal)

    assert answer.code == 0, answer.out + answer.err
    created = answer.json["data"]["organizationId"]
    assert asked(stack, "getOrganization", personal, organizationId=created)["selfHosted"]
    workflows = httpx.get(
        f"{url}/api/v1/workflows?limit=250", headers={"X-N8N-API-KEY": key}, trust_env=False
    ).json()["data"]
    (error_workflow,) = [known for known in workflows if created in known["name"]]
    assert error_workflow["active"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--name", "A"], "at least 2 characters"),
        (["--name", "Atelier", "--size", "12"], "size"),
        (["--name", "Atelier", "--n8n-base-url", "http://127.0.0.1:1"], "together"),
        (
            ["--name", "Atelier", "--n8n-base-url", "http://127.0.0.1:1", "--n8n-api-key", "x"],
            "n8n",
        ),
    ],
)
def test_an_organization_that_cannot_be_is_refused_with_a_reason(
    codika: CodikaCli, personal: str, arguments: list[str], said: str
) -> None:
    answer = codika("organization", "create", *arguments, key=personal)

    assert answer.code == 1
    assert said in answer.out + answer.err


def test_an_organizations_key_creates_no_organization(codika: CodikaCli) -> None:
    answer = codika("organization", "create", "--name", "Atelier")

    assert answer.code == 1
    assert "organizations:create" in answer.out + answer.err


def test_a_new_key_is_saved_as_the_active_profile(newcomer: CodikaCli, stack: RunningStack) -> None:
    answer = newcomer(
        *("organization", "create-key", "--organization-id", organization_id(stack), "--json"),
        *("--name", "CI", "--scopes", "projects:read,skills:read", "--expires-in-days", "30"),
        *("--description", "for the build"),
    )

    assert answer.code == 0, answer.out + answer.err
    raw = _raw(answer.json)
    assert raw in [profile["apiKey"] for profile in profiles(newcomer).values()]
    (shown,) = [
        key
        for key in asked(stack, "listOrganizationApiKeys", stack.owner_key)["apiKeys"]
        if key["keyPrefix"] == raw[:12]
    ]
    assert (shown["name"], shown["description"]) == ("CI", "for the build")
    assert shown["scopes"] == ["projects:read", "skills:read"]
    assert shown["expiresAt"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scopes", "projects:read,everything"], "Invalid scope: everything"),
        (["--scopes", "organizations:create"], "Invalid scope: organizations:create"),
        (["--scopes", "projects:read", "--expires-in-days", "soon"], "expiresInDays"),
        (["--scopes", "projects:read", "--expires-in-days", "366"], "expiresInDays"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_a_reason(
    codika: CodikaCli, stack: RunningStack, arguments: list[str], said: str
) -> None:
    answer = codika(
        *("organization", "create-key", "--organization-id", organization_id(stack), "--name", "x"),
        *arguments,
    )

    assert answer.code == 1
    assert said in answer.out + answer.err


def test_a_member_makes_no_key(codika: CodikaCli, stack: RunningStack) -> None:
    answer = codika(
        *("organization", "create-key", "--organization-id", organization_id(stack)),
        *("--name", "x", "--scopes", "projects:read"),
        key=stack.key(0, "memberKey"),
    )

    assert answer.code == 1
    assert "Only admins and owners" in answer.out + answer.err


def test_a_changed_key_does_with_the_next_command_what_it_could_not_before(
    codika: CodikaCli, stack: RunningStack
) -> None:
    made = codika(
        *("organization", "create-key", "--organization-id", organization_id(stack), "--json"),
        *("--name", "Builder", "--scopes", "projects:read"),
    ).json
    raw = _raw(made)
    assert codika("project", "create", "--name", "a", key=raw).code == 1

    key_id = made["data"]["keyId"]
    answer = codika(
        *("organization", "update-key", "--key-id", key_id, "--scopes", "projects:create", "--json"),
        *("--name", "Creator"),
    )

    assert answer.code == 0, answer.out + answer.err
    assert codika("project", "create", "--name", "a", key=raw).code == 0
    stranger = codika(
        *("organization", "update-key", "--key-id", key_id, "--name", "ours"), key=stack.key(1, "ownerKey")
    )
    assert stranger.code == 1
    assert "does not belong to your organization" in stranger.out + stranger.err
    unknown = codika("organization", "update-key", "--key-id", "nothing", "--name", "x")
    assert unknown.code == 1
    assert "not found" in (unknown.out + unknown.err).lower()


def _raw(answer: dict[str, Any]) -> str:
    return str(answer["data"]["apiKey"])

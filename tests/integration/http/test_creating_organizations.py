"""Creating organizations (api §5.2, platform §3)."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Organization
from shared.model.scopes import ORGANIZATION_SCOPES
from shared.services.runs.backend import n8n_client
from shared.services.secrets import open_text, webhook_secret
from shared.store import refs
from tests.integration.world.audits import events
from tests.integration.world.n8n import API_KEY, ScriptedN8n
from tests.integration.world.n8n_hosting import HostingN8n, hosting
from tests.integration.world.people import person
from tests.integration.world.world import World

PNG, JPEG, WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x00\x00\x00\x00WEBP"


@pytest.fixture
async def n8n(world: World) -> AsyncIterator[HostingN8n]:
    """The n8n that organizations without one of their own get."""
    async with hosting(world) as running:
        yield running


@pytest.fixture
async def brought(world: World) -> AsyncIterator[HostingN8n]:
    """An n8n that somebody brings along."""
    async with hosting(world, shared=False) as running:
        yield running


async def create(world: World, key: str, **body: Any) -> httpx.Response:
    return await world.gateway.post("/createOrganizationViaApiKey", key, {"name": "Atelier", **body})


async def stored(world: World, answer: httpx.Response) -> tuple[str, Organization]:
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == {"organizationId"}
    organization_id = answer.json()["data"]["organizationId"]
    found = await world.platform.store.get(refs.organization(organization_id))
    assert found is not None
    return organization_id, found.value


async def organizations_of(world: World, user_id: str) -> list[str]:
    found = await world.platform.store.get(refs.user(user_id))
    assert found is not None
    return found.value.organization_ids


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_keys_user_owns_the_new_organization_on_the_free_plan(
    world: World, n8n: HostingN8n
) -> None:
    ada = await person(world)
    answer = await create(world, ada.key, name="  Atelier  ", description="We build", size="11-50")

    organization_id, organization = await stored(world, answer)
    assert re.fullmatch(r"[A-Za-z0-9]{20}", organization_id)
    assert (organization.name, organization.description, organization.size) == (
        "Atelier",
        "We build",
        "11-50",
    )
    assert await organizations_of(world, ada.user_id) == [organization_id]
    shown = (await world.gateway.get("/getOrganization", ada.key)).json()["data"]
    assert (shown["plan"], shown["creditsPerMonth"], shown["role"]) == ("free", 200, "owner")
    assert shown["seats"] == {"used": 1, "total": 2}
    (entry,) = await events(world, organization_id, AuditAction.ORGANIZATION_CREATED)
    assert entry.actor_user_id == ada.user_id


async def test_n8n_has_its_error_workflow_and_its_webhook_credential(world: World, n8n: HostingN8n) -> None:
    organization_id, organization = await stored(world, await create(world, (await person(world)).key))

    (workflow,) = n8n.published(organization_id)
    assert workflow["id"] == organization.error_workflow_id
    assert organization.webhook_auth is not None
    credential = n8n.credentials.stored[organization.webhook_auth.credential_id]
    secret = await open_text(
        world.platform, organization.webhook_auth.secret, webhook_secret(organization_id)
    )
    assert (credential["type"], credential["data"]["value"]) == ("httpHeaderAuth", secret)
    report = {"organizationId": organization_id, "report": {"workflow": {"id": "x"}}}
    headers = {"X-Codika-Webhook-Auth": secret}
    answer = await world.gateway.http.post("/captureWorkflowError", json=report, headers=headers)
    assert answer.status_code not in (401, 403)


async def test_the_new_owner_makes_the_first_key_and_works_with_it(world: World, n8n: HostingN8n) -> None:
    ada = await person(world)
    organization_id, _ = await stored(world, await create(world, ada.key))
    scopes = [scope.value for scope in ORGANIZATION_SCOPES]
    wanted = {"organizationId": organization_id, "name": "CLI", "scopes": scopes}

    made = await world.gateway.post("/createOrganizationApiKeyPublic", ada.key, wanted)

    key = made.json()["data"]["apiKey"]
    assert (await world.gateway.post("/createProjectViaApiKey", key, {"name": "a"})).status_code == 200


async def test_an_administrator_creates_organizations_too(world: World, n8n: HostingN8n) -> None:
    administrator = await person(world, KeyKind.ADMIN)

    await stored(world, await create(world, administrator.key))


async def test_an_organizations_key_creates_none_and_learns_the_scope_it_takes(world: World) -> None:
    answer = await create(world, world.north.keys["owner"])

    assert refusal(answer) == (403, "FORBIDDEN")
    assert "organizations:create" in answer.json()["error"]["message"]


async def test_a_personal_key_without_the_scope_is_refused(world: World) -> None:
    ada = await person(world, scopes=ORGANIZATION_SCOPES)
    answer = await create(world, ada.key)

    assert refusal(answer) == (403, "INSUFFICIENT_SCOPE")
    assert "organizations:create" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"name": "   "},
        {"name": "x" * 101},
        {"size": "12"},
        {"size": ""},
        {"logoUrl": "http://a.example/logo.png"},
        {"logoUrl": "javascript:alert(1)"},
        {"logoBase64": "!!!"},
        {"logoBase64": ""},
        {"logoBase64": base64.b64encode(b"<svg/>").decode()},
        {"logoBase64": base64.b64encode(PNG).decode(), "logoMimeType": "image/svg+xml"},
        {"logoBase64": base64.b64encode(PNG).decode(), "logoMimeType": "image/jpeg"},
        {"logoBase64": base64.b64encode(PNG).decode(), "logoUrl": "https://a.example/logo.png"},
        {"n8nBaseUrl": "https://n8n.example"},
        {"n8nApiKey": "key"},
    ],
)
async def test_a_request_that_does_not_fit_creates_nothing(
    world: World, n8n: HostingN8n, body: dict[str, Any]
) -> None:
    ada = await person(world)
    answer = await create(world, ada.key, **body)

    assert answer.status_code == 400
    assert await organizations_of(world, ada.user_id) == []
    assert n8n.is_empty


async def test_a_name_of_one_letter_is_too_short(world: World) -> None:
    answer = await create(world, (await person(world)).key, name=" A ")

    assert refusal(answer) == (400, "INVALID_REQUEST")
    assert "at least 2 characters" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("start", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
async def test_a_logo_is_served_to_everybody_at_the_address_the_organization_shows(
    world: World, n8n: HostingN8n, start: bytes, media_type: str
) -> None:
    ada = await person(world)
    picture = start + b"picture"
    encoded = base64.b64encode(picture).decode()
    await stored(world, await create(world, ada.key, logoBase64=encoded, logoMimeType=media_type))

    url = (await world.gateway.get("/getOrganization", ada.key)).json()["data"]["logoUrl"]
    logo = await world.gateway.http.get(url)

    assert (logo.status_code, logo.content) == (200, picture)
    assert logo.headers["content-type"] == media_type
    assert logo.headers["x-content-type-options"] == "nosniff"


async def test_a_logo_of_exactly_five_mebibytes_is_taken_and_one_byte_more_is_not(
    world: World, n8n: HostingN8n
) -> None:
    ada = await person(world)
    largest = PNG + bytes(5 * 1024 * 1024 - len(PNG))

    taken = await create(world, ada.key, logoBase64=base64.b64encode(largest).decode())
    refused = await create(world, ada.key, logoBase64=base64.b64encode(largest + b"x").decode())

    _, organization = await stored(world, taken)
    assert (await world.gateway.http.get(str(organization.logo_url))).content == largest
    assert refusal(refused) == (400, "INVALID_LOGO")
    assert "5 MB" in refused.json()["error"]["message"]


async def test_a_logo_elsewhere_is_shown_as_it_was_given(world: World, n8n: HostingN8n) -> None:
    ada = await person(world)
    url = "https://cdn.example/logo.png"
    organization_id, organization = await stored(world, await create(world, ada.key, logoUrl=url))

    assert organization.logo_url == url
    assert (await world.gateway.http.get(f"/organizationLogo/{organization_id}")).status_code == 404


async def test_an_organization_lives_on_the_n8n_it_brings(
    world: World, n8n: HostingN8n, brought: HostingN8n
) -> None:
    ada = await person(world)
    given = {"n8nBaseUrl": f"{brought.url}/", "n8nApiKey": API_KEY, "storeCredentialCopy": True}

    organization_id, organization = await stored(world, await create(world, ada.key, **given))

    assert (organization.n8n_base_url, organization.self_hosted) == (brought.url, True)
    assert organization.store_credential_copy
    assert (brought.of(organization_id), n8n.is_empty) == ((1, 1), True)
    await (await n8n_client(world.platform, organization.backend_id)).check()
    backend = await world.platform.store.get(refs.backend(organization.backend_id))
    assert backend is not None
    assert backend.value.organization_id == organization_id
    assert API_KEY not in backend.value.model_dump_json()


async def test_a_copy_of_credentials_means_nothing_without_ones_own_n8n(
    world: World, n8n: HostingN8n
) -> None:
    answer = await create(world, (await person(world)).key, storeCredentialCopy=True)

    assert not (await stored(world, answer))[1].store_credential_copy


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("{url}", "another key"),
        ("{url}", "a\nb"),
        ("http://127.0.0.1:1", API_KEY),
        ("http://nowhere.invalid", API_KEY),
        ("ftp://127.0.0.1", API_KEY),
        ("http://user:password@127.0.0.1", API_KEY),
        ("not a url", API_KEY),
        ("http://[", API_KEY),
        ("http://127.0.0.1:99999", API_KEY),
    ],
)
async def test_an_n8n_that_cannot_be_used_creates_nothing(
    world: World, brought: HostingN8n, url: str, key: str
) -> None:
    ada = await person(world)
    answer = await create(world, ada.key, n8nBaseUrl=url.format(url=brought.url), n8nApiKey=key)

    assert refusal(answer) == (400, "INVALID_N8N_CREDENTIALS")
    assert key not in answer.text
    assert await organizations_of(world, ada.user_id) == []
    assert brought.is_empty


@pytest.mark.parametrize("action", ["create", "publish"])
async def test_when_n8n_fails_in_the_middle_nothing_is_left_and_the_next_try_succeeds(
    world: World, n8n: HostingN8n, action: str
) -> None:
    ada = await person(world)
    n8n.refuse(action, "out of order", status=500)

    failed = await create(world, ada.key)

    assert failed.status_code == 502
    assert await organizations_of(world, ada.user_id) == []
    assert n8n.is_empty
    organization_id, _ = await stored(world, await create(world, ada.key))
    assert n8n.of(organization_id) == (1, 1)


async def test_when_n8n_stores_no_credential_nothing_is_left(world: World, n8n: HostingN8n) -> None:
    ada = await person(world)
    n8n.credentials.refusal = "no more credentials"

    assert (await create(world, ada.key)).status_code == 502
    assert await organizations_of(world, ada.user_id) == []
    assert n8n.is_empty


async def test_ones_own_n8n_that_fails_in_the_middle_is_said_to_be_unusable(
    world: World, brought: HostingN8n
) -> None:
    ada = await person(world)
    brought.refuse("create", "no more workflows")
    answer = await create(world, ada.key, n8nBaseUrl=brought.url, n8nApiKey=API_KEY)

    assert refusal(answer) == (400, "INVALID_N8N_CREDENTIALS")
    assert brought.is_empty
    assert await organizations_of(world, ada.user_id) == []


async def test_nobody_has_more_than_fifty_organizations_even_at_once(world: World, n8n: HostingN8n) -> None:
    ada = await person(world, organization_ids=tuple(f"organization{i}" for i in range(48)))

    answers = await asyncio.gather(*(create(world, ada.key, name=f"Number {i}") for i in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 403, 403, 403]
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refusal(refused) == (403, "ORGANIZATION_LIMIT_REACHED")
    assert len(await organizations_of(world, ada.user_id)) == 50
    assert len(n8n.kept) == len(n8n.credentials.stored) == 2


async def test_without_any_n8n_that_takes_organizations_none_is_made(world: World) -> None:
    ada = await person(world)

    assert refusal(await create(world, ada.key)) == (502, "N8N_NOT_CONFIGURED")
    assert await organizations_of(world, ada.user_id) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}",
        "http://localhost:{port}",
        "http://[::1]:{port}",
        "http://[::ffff:127.0.0.1]:{port}",
        "http://2130706433:{port}",
        "http://0.0.0.0:{port}",
        "http://10.0.0.1",
        "http://192.168.1.1",
        "http://169.254.169.254/latest/meta-data",
        "http://metadata.google.internal",
    ],
)
async def test_in_the_cloud_nobody_sends_us_into_our_own_network(
    world: World, brought: ScriptedN8n, url: str
) -> None:
    cloud = await world.another_gateway("cloud", N8N_PRIVATE_HOSTS="")
    ada = await person(world)
    body = {"name": "Atelier", "n8nBaseUrl": url.format(port=brought.port), "n8nApiKey": API_KEY}

    answer = await cloud.post("/createOrganizationViaApiKey", ada.key, body)

    assert refusal(answer) == (400, "INVALID_N8N_CREDENTIALS")
    assert await organizations_of(world, ada.user_id) == []

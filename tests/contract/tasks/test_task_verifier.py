from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.tasks.identity import Identity
from infra.local.tasks.times import wall_clock
from shared.errors import Internal, Unauthorized
from shared.tasks.keys import SigningKeys
from shared.tasks.oidc import TaskVerifier

AUDIENCE = "https://tasks.example"
ACCOUNT = "podium-tasks@demo.iam.gserviceaccount.com"


class KeyServer:
    """Publishes key sets and counts who asks."""

    def __init__(self) -> None:
        self.document: object = {"keys": []}
        self.requests = 0
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.requests += 1
        if self.document is None:
            return web.Response(status=503)
        return web.json_response(self.document)


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    app = web.Application()
    app.router.add_get("/certs", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/certs"
    yield server
    await runner.cleanup()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def identity(key: rsa.RSAPrivateKey, key_server: KeyServer) -> Identity:
    identity = Identity(key, wall_clock)
    key_server.document = identity.jwks()
    return identity


@pytest.fixture
def verifier(key_server: KeyServer) -> TaskVerifier:
    return TaskVerifier(key_server.url, AUDIENCE, ACCOUNT)


def _claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "sub": "1",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _signed(key: rsa.RSAPrivateKey, identity: Identity, **changes: object) -> str:
    kid = identity.jwks()["keys"][0]["kid"]
    return "Bearer " + jwt.encode(_claims(**changes), key, algorithm="RS256", headers={"kid": kid})


async def test_a_token_of_the_queue_is_accepted(identity: Identity, verifier: TaskVerifier) -> None:
    claims = await verifier.verify(f"Bearer {identity.token(ACCOUNT, AUDIENCE)}")
    assert (claims.email, claims.audience) == (ACCOUNT, AUDIENCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"aud": [AUDIENCE, "https://other.example"]},
        {"email": "other@demo.iam.gserviceaccount.com"},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"exp": 1},
        {"exp": None},
        {"iat": 4102444800},
        {"nbf": 4102444800},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    key: rsa.RSAPrivateKey, identity: Identity, verifier: TaskVerifier, changes: dict[str, object]
) -> None:
    await verifier.verify(_signed(key, identity))
    with pytest.raises(Unauthorized):
        await verifier.verify(_signed(key, identity, **changes))


async def test_a_token_signed_by_another_key_is_refused(identity: Identity, verifier: TaskVerifier) -> None:
    other = rsa.generate_private_key(65537, 2048)
    with pytest.raises(Unauthorized):
        await verifier.verify(_signed(other, identity))


async def test_a_token_that_chooses_its_own_algorithm_is_refused(
    identity: Identity, verifier: TaskVerifier
) -> None:
    public = identity.jwks()["keys"][0]
    headers = {"kid": public["kid"]}
    for token in (
        jwt.encode(_claims(), "", algorithm="none", headers=headers),
        jwt.encode(_claims(), public["n"], algorithm="HS256", headers=headers),
    ):
        with pytest.raises(Unauthorized):
            await verifier.verify(f"Bearer {token}")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "x" * 10_000]
)
async def test_a_call_without_a_token_is_refused(
    identity: Identity, verifier: TaskVerifier, header: str | None
) -> None:
    with pytest.raises(Unauthorized):
        await verifier.verify(header)


async def test_a_refusal_does_not_repeat_the_token(
    key: rsa.RSAPrivateKey, identity: Identity, verifier: TaskVerifier
) -> None:
    header = _signed(key, identity, aud="https://other.example")
    with pytest.raises(Unauthorized) as refusal:
        await verifier.verify(header)
    assert header.rpartition(".")[2] not in str(refusal.value)
    assert refusal.value.__cause__ is None


async def test_any_change_of_a_token_makes_it_invalid(identity: Identity, verifier: TaskVerifier) -> None:
    token = identity.token(ACCOUNT, AUDIENCE)
    loop = asyncio.get_running_loop()

    @given(st.integers(0, len(token) - 1), st.sampled_from("AQgw_-.x"))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(position: int, character: str) -> None:
        changed = token[:position] + character + token[position + 1 :]
        # The last character of a part carries bits that mean nothing; changing those is no change.
        if changed == token or position in _part_ends(token):
            return
        with pytest.raises(Unauthorized):
            asyncio.run_coroutine_threadsafe(verifier.verify(f"Bearer {changed}"), loop).result(10)

    await asyncio.to_thread(check)


async def test_many_verifications_fetch_the_keys_once(
    identity: Identity, verifier: TaskVerifier, key_server: KeyServer
) -> None:
    header = f"Bearer {identity.token(ACCOUNT, AUDIENCE)}"
    await asyncio.gather(*(verifier.verify(header) for _ in range(50)))
    assert key_server.requests == 1


async def test_invented_key_ids_do_not_make_the_verifier_ask_again_and_again(
    key: rsa.RSAPrivateKey, identity: Identity, verifier: TaskVerifier, key_server: KeyServer
) -> None:
    for number in range(20):
        token = jwt.encode(_claims(), key, algorithm="RS256", headers={"kid": f"invented-{number}"})
        with pytest.raises(Unauthorized):
            await verifier.verify(f"Bearer {token}")
    assert key_server.requests == 1


async def test_without_any_key_set_the_fault_is_ours(
    identity: Identity, verifier: TaskVerifier, key_server: KeyServer
) -> None:
    key_server.document = None
    with pytest.raises(Internal):
        await verifier.verify(f"Bearer {identity.token(ACCOUNT, AUDIENCE)}")


class Source:
    """A key set that changes, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetches = 0
        self.document: bytes | None = b'{"keys": []}'

    def fetch(self, _: str) -> bytes:
        self.fetches += 1
        if self.document is None:
            raise OSError("no route")
        return self.document

    def keys(self) -> SigningKeys:
        return SigningKeys("http://keys.example", self.fetch, lambda: self.now)


async def test_a_new_key_is_found_and_old_keys_serve_through_an_outage(key: rsa.RSAPrivateKey) -> None:
    source = Source()
    jwks = Identity(key, wall_clock).jwks()
    kid = jwks["keys"][0]["kid"]
    keys = source.keys()
    source.document = json.dumps(jwks).encode()
    assert await keys.get(kid) is not None

    newer = Identity(rsa.generate_private_key(65537, 2048), wall_clock).jwks()
    newer_kid = newer["keys"][0]["kid"]
    source.document = json.dumps({"keys": jwks["keys"] + newer["keys"]}).encode()
    assert await keys.get(newer_kid) is None
    source.now += 11
    assert await keys.get(newer_kid) is not None

    source.now += 4000
    source.document = None
    assert await keys.get(kid) is not None
    assert source.fetches == 3


@pytest.mark.parametrize("document", [b"", b"[]", b"<html>", b'{"keys": 1}', b'{"keys": [{"kty": "??"}]}'])
async def test_a_malformed_key_set_counts_as_none(document: bytes) -> None:
    source = Source()
    source.document = document
    with pytest.raises(Internal):
        await source.keys().get("any")


def test_the_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "identity.pem"
    first, second = Identity.load(file, wall_clock), Identity.load(file, wall_clock)
    assert first.jwks() == second.jwks()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_token_is_used_again_for_a_while_and_then_renewed(key: rsa.RSAPrivateKey) -> None:
    now = wall_clock()
    identity = Identity(key, lambda: now)
    first = identity.token(ACCOUNT, AUDIENCE)
    now += 300_000_000
    assert identity.token(ACCOUNT, AUDIENCE) == first
    now += 400_000_000
    assert identity.token(ACCOUNT, AUDIENCE) != first
    assert identity.token(ACCOUNT, "https://other.example") != identity.token(ACCOUNT, AUDIENCE)


def _part_ends(token: str) -> set[int]:
    return {index - 1 for index, character in enumerate(token) if character == "."} | {len(token) - 1}

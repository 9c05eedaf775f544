"""Where the endpoints are called from: keys, a project, an installation, and things to change and remove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from bench.api import CallFailed, Json, call
from bench.installed import Installed, install
from bench.load import timed
from bench.session import Session, connections
from shared.model.apikey import KeyKind
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.services.organizations.members import add_member
from shared.services.organizations.mint import mint_key
from shared.store import refs
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``params`` fill the path; without a ``key`` it is sent with the owner's."""

    body: object = None
    params: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a request was answered, in how many milliseconds."""

    status: int
    request_id: str
    milliseconds: float
    content: bytes = field(repr=False)


@dataclass(slots=True)
class Desk:
    """What calls need to know."""

    session: Session
    installed: Installed
    project_id: str
    execution_id: str
    public_pem: bytes = field(repr=False)
    template_id: str
    made: int = 0

    @property
    def organization_id(self) -> str:
        """The organization of the owner's key."""
        return self.session.organization_id

    @property
    def instance_id(self) -> str:
        """The installation."""
        return self.installed.instance_id

    @property
    def colleague_id(self) -> str:
        """The second member of the organization."""
        return str(self.session.stack.content["organizations"][0]["memberUserId"])

    @property
    def admin_key(self) -> str:
        """The administrator's key."""
        return str(self.session.stack.content["adminKey"])

    def name(self) -> str:
        """Return a name that was not used yet."""
        self.made += 1
        return f"Bench {self.made}"

    async def post(self, endpoint: str, key: str | None = None, **body: object) -> Json:
        """Call an endpoint that must succeed; return its data."""
        answer = await call(self.session, "POST", f"/{endpoint}", key or self.session.stack.owner_key, body)
        return cast("Json", answer.get("data", answer))

    async def get(self, endpoint: str) -> Json:
        """Read from an endpoint that must succeed; return its data."""
        answer = await call(self.session, "GET", f"/{endpoint}", self.session.stack.owner_key)
        return cast("Json", answer["data"])

    async def send(self, method: str, name: str, asked: Asked) -> Answered:
        """Send one request, whatever it is answered."""
        url = "/".join([self.session.stack.base_url, name, *asked.params])
        headers = {"X-API-Key": asked.key or self.session.stack.owner_key, "Content-Type": "application/json"}
        data = None if method == "GET" else orjson.dumps({} if asked.body is None else asked.body)
        http = self.session.http

        async def exchange() -> tuple[int, str, bytes]:
            async with http.request(method, url, params=asked.query, data=data, headers=headers) as answer:
                return answer.status, answer.headers.get("X-Request-Id", ""), await answer.read()

        milliseconds, (status, request_id, content) = await timed(exchange())
        return Answered(status, request_id, milliseconds, content)

    async def member(self) -> str:
        """Return a new member of the organization."""
        user_id = self.session.platform.sources.auto_id()
        await add_member(self.session.platform, self.organization_id, user_id, Role.MEMBER)
        return user_id

    async def personal_key(self) -> str:
        """Return a key of a user who has no organization yet."""
        platform = self.session.platform
        minted = mint_key(
            platform,
            KeyKind.PERSONAL,
            user_id=platform.sources.auto_id(),
            name="bench",
            scopes=(Scope.ORGANIZATIONS_CREATE,),
        )
        await platform.store.commit(*minted.records)
        return minted.raw

    def secrets(self, **values: str) -> dict[str, Any]:
        """Return secrets as a client sends them."""
        return {
            name: {
                "value": as_sent(encrypt_like_a_client(self.public_pem, value.encode())),
                "encrypted": True,
                "description": name,
            }
            for name, value in values.items()
        }


async def opened(session: Session) -> Desk:
    """Deploy the small use case and run it once."""
    installed = await install(session)
    async with connections(1) as http:
        execution_id = await installed.trigger(http)
        await installed.ended(execution_id)
        async with http.get(f"{session.stack.base_url}/encryption/public.pem") as answer:
            public_pem = await answer.read()
    process = await session.platform.store.get(refs.process(installed.process_id))
    if process is None or process.value.latest_template_id is None:
        raise CallFailed("the process is not there")
    found = process.value
    return Desk(
        session, installed, found.project_id, execution_id, public_pem, found.latest_template_id or ""
    )

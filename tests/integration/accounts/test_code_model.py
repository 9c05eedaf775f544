"""The life of codes against a model: whatever is done in whatever order, the platform answers as it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import PlatformError
from shared.model.organization import Role
from shared.model.otp import Purpose
from shared.model.user import EmailClaim, User, address_digest
from shared.services.accounts.keyoptions import KeyOptions
from shared.services.accounts.login import complete_login
from shared.services.accounts.prove import keeping, prove
from shared.services.accounts.refusals import several_organizations
from shared.services.accounts.request import request_code
from shared.services.apikeys.active import organization_keys
from shared.services.organizations.members import add_member
from shared.services.platform import Platform
from shared.sources import Sources
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.query import find
from shared.store.store import Create, Patch, Put
from tests.integration.world.accounts import some_address, some_network
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World

LOGIN = Purpose.LOGIN
# What expired long ago is removed from the store by and by, and these clocks stand.
NOON = datetime(2126, 4, 4, 12, tzinfo=UTC)


@dataclass(slots=True)
class Clock(Sources):
    """A clock that stands still until it is moved, and codes that count up."""

    moment: datetime = NOON
    codes: count[int] = field(default_factory=count)

    def now(self) -> datetime:
        return self.moment

    def digits(self, count: int) -> str:
        return f"{next(self.codes):0{count}}"


@dataclass(slots=True)
class Model:
    """What the contract says of one address, kept as simply as possible."""

    now: datetime = NOON
    code: str | None = None
    issued: datetime = NOON
    wrong: int = 0
    used: bool = False
    mails: list[datetime] = field(default_factory=list)

    def request(self, code: str) -> str:
        """Ask for a code to log in."""
        if self.code is not None and not self.used and self.now < self.issued + timedelta(seconds=30):
            return "OTP_RESEND_COOLDOWN"
        if len([m for m in self.mails if m > self.now - timedelta(hours=1)]) >= 20:
            return "EMAIL_RATE_LIMITED"
        self.code, self.issued, self.wrong, self.used = code, self.now, 0, False
        self.mails.append(self.now)
        return "ok"

    def complete(self, right: bool, member: bool) -> str:
        """Guess, and name an organization one belongs to or another one."""
        if self.code is None:
            return "OTP_NOT_FOUND"
        if self.used:
            return "OTP_ALREADY_USED"
        if self.wrong >= 5:
            return "OTP_LOCKED_OUT"
        if self.now >= self.issued + timedelta(minutes=10):
            return "OTP_EXPIRED"
        if not right:
            self.wrong += 1
            return f"OTP_INVALID {5 - self.wrong}"
        if not member:
            return "ORGANIZATION_NOT_MEMBER"
        self.used = True
        return "ok"


PAUSES = st.sampled_from([1, 29, 30, 31, 299, 599, 600, 601, 3599, 3600])
ACTIONS = st.one_of(
    st.just(("request", 0)),
    st.just(("right", 0)),
    st.just(("wrong", 0)),
    st.just(("stranger", 0)),
    st.tuples(st.just("wait"), PAUSES),
)
RUNS = st.lists(ACTIONS, min_size=4, max_size=30)


@pytest.fixture(scope="module")
async def tenant(world: World) -> Tenant:
    return await create_tenant(world.platform, "Model", world.n8n)


@given(actions=RUNS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_every_order_of_asking_guessing_and_waiting_answers_as_the_model(
    world: World, tenant: Tenant, actions: list[tuple[str, int]]
) -> None:
    clock, model = Clock(), Model()
    platform = _platform(world, clock)
    address = await _user(world, tenant)
    for action, seconds in actions:
        if action == "wait":
            clock.moment += timedelta(seconds=seconds)
            model.now = clock.moment
        elif action == "request":
            coming = f"{_peek(clock):06}"
            assert await _request(platform, address) == model.request(coming)
        else:
            guess = "999999" if action == "wrong" else model.code or "000000"
            wanted = world.north.organization_id if action == "stranger" else tenant.organization_id
            said = await _complete(platform, address, guess, wanted)
            assert said == model.complete(action != "wrong", action != "stranger")
            await _free_keys(world, tenant)


async def test_an_address_is_mailed_twenty_codes_an_hour_and_the_next_when_the_first_is_an_hour_old(
    world: World, tenant: Tenant
) -> None:
    clock = Clock()
    platform = _platform(world, clock)
    address = await _user(world, tenant)
    for _ in range(20):
        assert await _request(platform, address) == "ok"
        clock.moment += timedelta(minutes=2)

    assert await _request(platform, address) == "EMAIL_RATE_LIMITED"
    clock.moment = NOON + timedelta(hours=1) - timedelta(microseconds=1)
    assert await _request(platform, address) == "EMAIL_RATE_LIMITED"
    clock.moment = NOON + timedelta(hours=1)
    assert await _request(platform, address) == "ok"
    assert await _request(platform, address) == "OTP_RESEND_COOLDOWN"


class _Silent:
    """A mailer for clocks that do not run: what it is given is nobody's business here."""

    async def send(self, mail: object) -> None:
        return None

    async def close(self) -> None:
        return None


def _platform(world: World, clock: Clock) -> Platform:
    platform = Platform(world.platform.settings, clock)
    # The connections are the world's; only the clock is another one.
    platform.__dict__ |= {"store": world.platform.store, "vault": world.platform.vault, "mailer": _Silent()}
    return platform


def _peek(clock: Clock) -> int:
    following = next(clock.codes)
    clock.codes = count(following)
    return following


async def _user(world: World, tenant: Tenant) -> str:
    address, user_id = some_address(), world.platform.sources.auto_id()
    await world.platform.store.commit(
        Create(refs.user(user_id), User(user_id=user_id, email=address, created_at=NOON)),
        Put(refs.email_claim(address_digest(address)), EmailClaim(user_id=user_id)),
    )
    await add_member(world.platform, tenant.organization_id, user_id, Role.MEMBER)
    return address


async def _request(platform: Platform, address: str) -> str:
    try:
        await request_code(platform, LOGIN, address, some_network())
    except PlatformError as error:
        return error.code
    return "ok"


async def _complete(platform: Platform, address: str, guess: str, organization_id: str) -> str:
    try:
        await complete_login(platform, address, guess, organization_id, KeyOptions(expires_in_days=1))
    except PlatformError as error:
        left = error.details.get("attemptsRemaining")
        return error.code if left is None else f"{error.code} {left}"
    return "ok"


async def _free_keys(world: World, tenant: Tenant) -> None:
    """End the keys that were handed out: the limit of twenty has tests of its own."""
    now = world.platform.sources.now()
    keys = await find(world.platform.store, organization_keys(tenant.organization_id))
    for key in keys:
        if key.value.name == KeyOptions().name and key.value.revoked_at is None:
            await world.platform.store.commit(Patch(key.ref, {"revoked_at": now, "active_until": NOON}))


async def test_a_refusal_after_a_right_guess_gets_out_only_if_nobody_guessed_meanwhile(
    world: World, tenant: Tenant
) -> None:
    clock = Clock()
    platform = _platform(world, clock)
    address = await _user(world, tenant)
    code = f"{_peek(clock):06}"
    assert await _request(platform, address) == "ok"

    proof = await prove(platform, LOGIN, address, code)
    assert await _complete(platform, address, "999999", tenant.organization_id) == "OTP_INVALID 4"
    with pytest.raises(StoreConflict):
        async with keeping(platform, proof):
            raise several_organizations([])

    proof = await prove(platform, LOGIN, address, code)
    with pytest.raises(PlatformError, match="several organizations"):
        async with keeping(platform, proof):
            raise several_organizations([])

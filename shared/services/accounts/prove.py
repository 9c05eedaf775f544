"""Checking a guess at a code.

Reading a code, judging a guess and writing what follows from it is one step: every write is conditional on
the version that was read, and whoever loses against another guess looks again. So guesses count as if they
came one after the other, and only as many are judged as a code bears, however many arrive at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.errors import InvalidRequest, PlatformError
from shared.model.otp import OneTimeCode, Purpose
from shared.model.user import address_digest
from shared.services.accounts import refusals
from shared.services.accounts.lifecycle import State, state_of, tries_left
from shared.services.accounts.person import Person, person_with
from shared.services.accounts.tags import is_right
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found, Patch

_LONGEST_GUESS = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """A right guess: the code as it was read, and whose address it proves."""

    code: Found[OneTimeCode]
    person: Person

    def used(self, platform: Platform) -> Patch[OneTimeCode]:
        """Return the write that uses the code up, if nobody guessed meanwhile."""
        fields = {"used_at": platform.sources.now(), "attempt": None}
        return Patch(self.code.ref, fields, self.code.update_time)


def read_guess(given: object) -> str:
    """Return a guess without the blanks people type.

    Raises:
        InvalidRequest: there is none.
    """
    guess = "".join(given[:_LONGEST_GUESS].split()) if isinstance(given, str) else ""
    if not guess:
        raise InvalidRequest(
            "code: the six digits that were mailed to you are required, as text.",
            field="code",
            next_action="Send the request again with the code from the mail in the field code.",
        )
    return guess


async def prove(platform: Platform, purpose: Purpose, address: str, guess: str) -> Proof:
    """Return the proof that whoever guesses reads the address's mail. It is good for one conditional write.

    Raises:
        InvalidRequest: ``OTP_INVALID``; the try was counted.
        Conflict: ``OTP_ALREADY_USED``, ``OTP_PURPOSE_MISMATCH``.
        RateLimited: ``OTP_LOCKED_OUT``.
        Gone: ``OTP_EXPIRED``.
        NotFound: ``OTP_NOT_FOUND``.
        StoreConflict: somebody else guessed at the same moment; nothing was judged.
    """
    digest = address_digest(address)
    own, other, claim = await platform.store.fetch(
        refs.one_time_code(digest, purpose),
        refs.one_time_code(digest, purpose.other),
        refs.email_claim(digest),
    )
    now = platform.sources.now()
    state = state_of(own.value if own else None, now)
    if state is not State.LIVE:
        if state is not State.BUSY and state_of(other.value if other else None, now) is State.LIVE:
            raise refusals.wrong_purpose(purpose)
        raise refusals.not_live(purpose, state)
    if not await is_right(platform, purpose, address, own.value, guess):
        counted = own.value.model_copy(update={"wrong_tries": own.value.wrong_tries + 1})
        fields = {"wrong_tries": counted.wrong_tries}
        await platform.store.commit(Patch(own.ref, fields, own.update_time))
        raise refusals.wrong_code(purpose, tries_left(counted))
    return Proof(own, await person_with(platform, address, digest, claim))


@asynccontextmanager
async def keeping(platform: Platform, proof: Proof) -> AsyncIterator[None]:
    """Let a refusal after a right guess out only if that guess was judged in its turn; the code stays usable.

    Otherwise the refusal would tell a right guess from a wrong one without being counted.
    """
    try:
        yield
    except PlatformError:
        fields = {"proven_at": platform.sources.now()}
        await platform.store.commit(Patch(proof.code.ref, fields, proof.code.update_time))
        raise

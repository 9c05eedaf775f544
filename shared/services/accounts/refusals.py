"""Every refusal of signing up and logging in: code, status, and what to do next (platform §5)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import (
    Conflict,
    Forbidden,
    Gone,
    Internal,
    InvalidRequest,
    NotFound,
    PlatformError,
    RateLimited,
)
from shared.model.otp import Purpose
from shared.services.accounts.lifecycle import State

_ASK = {Purpose.SIGNUP: "codika auth signup-request", Purpose.LOGIN: "codika auth login-request"}
_COMPLETE = {Purpose.SIGNUP: "codika auth signup-complete", Purpose.LOGIN: "codika auth login-complete"}

Choice = Sequence[tuple[str, str]]
"""Ids and names of organizations."""


def too_soon(seconds: int) -> PlatformError:
    """A code was mailed a moment ago."""
    return RateLimited(
        "A code was mailed to this address a moment ago.",
        code="OTP_RESEND_COOLDOWN",
        details={"retryInSeconds": seconds},
        next_action=f"Look into your mailbox, also for spam. A new code can be sent in {seconds} seconds.",
    )


def too_many_for_address() -> PlatformError:
    """The address had its codes for this hour."""
    return RateLimited(
        "Too many codes were mailed to this address.",
        code="EMAIL_RATE_LIMITED",
        next_action="Use the newest code you received, or ask for another one in an hour.",
    )


def too_many_from_network() -> PlatformError:
    """The caller's network had its codes for this hour."""
    return RateLimited(
        "Too many codes were asked for from your network.",
        code="IP_RATE_LIMITED",
        next_action="Use a code you received already, or ask for another one in an hour.",
    )


def has_organization() -> PlatformError:
    """Signing up is for people without an organization."""
    return Conflict(
        "This address already has an organization.",
        code="USER_ALREADY_HAS_ORGANIZATION",
        next_action=f"Log in instead: {_ASK[Purpose.LOGIN]} --email <your address>",
    )


def no_user() -> PlatformError:
    """Nobody with that address signed up."""
    return NotFound(
        "There is no account with this address.",
        code="USER_NOT_FOUND",
        next_action=f"Sign up first: {_ASK[Purpose.SIGNUP]} --email <your address>",
    )


def no_organization() -> PlatformError:
    """The account belongs to no organization (any more)."""
    return Conflict(
        "Your account belongs to no organization.",
        code="USER_HAS_NO_ORGANIZATION",
        next_action=f"Sign up to create one: {_ASK[Purpose.SIGNUP]} --email <your address>",
    )


def wrong_purpose(purpose: Purpose) -> PlatformError:
    """The code that is pending is for the other thing."""
    other = purpose.other
    return Conflict(
        f"The code that was mailed to this address is for {_doing(other)}, not for {_doing(purpose)}.",
        code="OTP_PURPOSE_MISMATCH",
        next_action=f"Use it with: {_COMPLETE[other]} --email <your address> --code <the code>",
    )


def wrong_code(purpose: Purpose, left: int) -> PlatformError:
    """The guess was wrong."""
    return InvalidRequest(
        f"This is not the code that was mailed to you; {left} {'try is' if left == 1 else 'tries are'} left.",
        code="OTP_INVALID",
        details={"attemptsRemaining": left},
        next_action="Check the newest mail and enter its six digits." if left else _again(purpose),
    )


def not_live(purpose: Purpose, state: State) -> PlatformError:
    """Why a code cannot be guessed at: any state but ``LIVE``."""
    match state:
        case State.USED:
            message = "This code was used already."
            return Conflict(message, code="OTP_ALREADY_USED", next_action=_again(purpose))
        case State.BUSY:
            return Conflict(
                "This code is being used by a sign-up that has not ended yet.",
                code="OTP_ALREADY_USED",
                next_action="If you received no key within a minute, run the same command again.",
            )
        case State.LOCKED:
            message = "Too many wrong tries: this code does not work any more."
            return RateLimited(message, code="OTP_LOCKED_OUT", next_action=_again(purpose))
        case State.EXPIRED:
            message = "This code has expired: it is valid for ten minutes."
            return Gone(message, code="OTP_EXPIRED", next_action=_again(purpose))
        case _:
            message = "No code is pending for this address."
            return NotFound(message, code="OTP_NOT_FOUND", next_action=_again(purpose))


def several_organizations(choice: Choice) -> PlatformError:
    """The user has to say which organization is meant."""
    return Conflict(
        "You belong to several organizations.",
        code="MULTIPLE_ORGANIZATIONS",
        details=_listed(choice),
        next_action="Run the same command again with the same code and --organization-id <id>.",
    )


def not_a_member(choice: Choice) -> PlatformError:
    """The organization that was named is none of the user's."""
    return Forbidden(
        "You are not a member of this organization.",
        code="ORGANIZATION_NOT_MEMBER",
        details=_listed(choice),
        next_action="Run the same command again with the same code and the id of one of your organizations.",
    )


def no_room_for_a_key(message: str) -> PlatformError:
    """The organization has as many keys as it may have."""
    return RateLimited(
        message,
        code="MAX_API_KEYS_REACHED",
        next_action="Revoke a key that nobody needs, then run the same command again with the same code.",
    )


def not_created() -> PlatformError:
    """n8n did not take the new organization."""
    return Internal(
        "Your organization could not be created. Nothing was changed.",
        code="ORGANIZATION_CREATION_FAILED",
        next_action="Run the same command again in a minute; your code stays valid.",
    )


def not_mailed() -> PlatformError:
    """The mail with the code could not be sent."""
    return Internal(
        "The mail with your code could not be sent.",
        code="INTERNAL",
        next_action="Ask for a code again in a minute. If it fails again, contact support.",
    )


def _again(purpose: Purpose) -> str:
    return f"Ask for a new code: {_ASK[purpose]} --email <your address>"


def _doing(purpose: Purpose) -> str:
    return "signing up" if purpose is Purpose.SIGNUP else "logging in"


def _listed(choice: Choice) -> dict[str, object]:
    return {"organizations": [{"id": known, "name": name} for known, name in choice]}

"""The organization somebody signs up with (api §5.30)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import InvalidRequest

DEFAULT_NAME = "My Organization"
SHORTEST_NAME = 2
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 1000


@dataclass(frozen=True, slots=True)
class Company:
    """Name and description of a new organization."""

    name: str = DEFAULT_NAME
    description: str = ""


def company(name: str | None, description: str | None) -> Company:
    """Return what to create; without a name it gets a default one.

    Raises:
        InvalidRequest: ``COMPANY_NAME_TOO_LONG``; or the name is too short, the description too long.
    """
    trimmed = (name or "").strip() or DEFAULT_NAME
    if len(trimmed) > LONGEST_NAME:
        raise InvalidRequest(
            f"The organization's name has more than {LONGEST_NAME} characters.",
            code="COMPANY_NAME_TOO_LONG",
            field="company.name",
            next_action=f"Choose a name of at most {LONGEST_NAME} characters; your code stays valid.",
        )
    if len(trimmed) < SHORTEST_NAME:
        raise InvalidRequest(
            f"The organization's name must have at least {SHORTEST_NAME} characters.", field="company.name"
        )
    about = (description or "").strip()
    if len(about) > LONGEST_DESCRIPTION:
        raise InvalidRequest(
            f"The organization's description has more than {LONGEST_DESCRIPTION} characters.",
            field="company.description",
        )
    return Company(trimmed, about)

"""Who an address belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.user import EmailClaim, User
from shared.services.organizations.members import joined
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Found, Write


@dataclass(frozen=True, slots=True)
class Person:
    """An address, and the user it belongs to if there is one."""

    address: str
    digest: str
    claim: Found[EmailClaim] | None
    user: Found[User] | None

    @property
    def organization_ids(self) -> list[str]:
        """The organizations the person is a member of."""
        return self.user.value.organization_ids if self.user else []

    def joining(self, platform: Platform, user_id: str, organization_id: str) -> tuple[Write, ...]:
        """Return what makes the user, new or known, name an organization; the address is theirs then."""
        if self.user is not None:
            return (joined(platform, organization_id, user_id, self.user),)
        user = User(
            user_id=user_id,
            email=self.address,
            created_at=platform.sources.now(),
            organization_ids=[organization_id],
        )
        made = Create(refs.user(user_id), user)
        return (
            (made,)
            if self.claim
            else (made, Create(refs.email_claim(self.digest), EmailClaim(user_id=user_id)))
        )


async def person_with(
    platform: Platform, address: str, digest: str, claim: Found[EmailClaim] | None
) -> Person:
    """Return whom an address belongs to."""
    user = await platform.store.get(refs.user(claim.value.user_id)) if claim else None
    return Person(address, digest, claim, user)


def new_user_id(platform: Platform) -> str:
    """Return 28 random characters, the shape of a user's id (platform §2)."""
    return (platform.sources.auto_id() + platform.sources.auto_id())[:28]

"""Mail an alert to who decides about an organization's credits: its owners and admins (platform §17)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from shared.errors import PlatformError
from shared.mail.mail import Mail
from shared.model.account import CreditPolicy
from shared.model.credit_alert import CreditAlert
from shared.model.credits import in_credits
from shared.model.organization import Role
from shared.model.user import User
from shared.services.accounts.mails import one_line, paragraphs
from shared.services.events.announce import WAITED_FOR, NotYet
from shared.services.organizations.members import members_of
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.query import find
from shared.store.store import Found, Patch

GIVEN_UP_AFTER = timedelta(hours=24)
"""An alert that nobody's mail server took for so long is not mailed any more."""
_AT_WORK = timedelta(minutes=2)
_MOST = 100
"""Managers of one organization who are told."""


async def mail_alert(
    platform: Platform, organization_id: str, period: str, percent: int, deliveries: int
) -> str:
    """Mail an alert to whom it was not mailed yet; return what was done, for the log. Safe to repeat.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        NotYet: the alert is not committed yet, somebody else mails it, or a mail was not taken.
    """
    found = await platform.store.get(refs.credit_alert(organization_id, period, percent))
    if found is None:
        if deliveries < WAITED_FOR:
            raise NotYet("The alert is not committed yet.")
        return "never committed"
    now = platform.sources.now()
    if found.value.mailed:
        return "mailed before"
    if now - found.value.created_at > GIVEN_UP_AFTER:
        return "given up"
    if found.value.mailing_until is not None and now < found.value.mailing_until:
        raise NotYet("The alert is being mailed.")
    try:
        claim = {"mailing_until": now + _AT_WORK}
        await platform.store.commit(Patch(found.ref, claim, found.update_time))
    except Changed:
        raise NotYet("The alert is being mailed.") from None
    return await _mail_all(platform, found)


async def _mail_all(platform: Platform, found: Found[CreditAlert]) -> str:
    alert, mailed, refused = found.value, list(found.value.mailed_to), 0
    organization = await platform.store.get(refs.organization(alert.organization_id))
    name = organization.value.name if organization else alert.organization_id
    for user in await _managers(platform, alert.organization_id):
        mail = _mail(user, alert, name)
        if mail is None or user.user_id in mailed:
            continue
        try:
            await platform.mailer.send(mail)
        except PlatformError:
            refused += 1
            continue
        mailed.append(user.user_id)
        until = platform.sources.now() + _AT_WORK
        await platform.store.commit(Patch(found.ref, {"mailed_to": mailed, "mailing_until": until}))
    await platform.store.commit(Patch(found.ref, {"mailing_until": None, "mailed": not refused}))
    if refused:
        raise NotYet(f"{refused} mails were not taken.")
    return f"mailed to {len(mailed)}"


async def _managers(platform: Platform, organization_id: str) -> list[User]:
    roles = [role.value for role in Role if role.manages]
    query = members_of(organization_id).where("role", "in", roles).at_most(_MOST)
    members = [found.value for found in await find(platform.store, query)]
    users = await platform.store.fetch(*(refs.user(member.user_id) for member in members))
    return [user.value for user in users if user is not None]


def _mail(user: User, alert: CreditAlert, organization_name: str) -> Mail | None:
    """Return the mail to somebody; ``None`` for somebody without an address that takes mail."""
    name = one_line(organization_name)
    if alert.percent < 100:
        subject = f"{name} has used {alert.percent} % of its credits"
    else:
        subject = f"{name} has used up its credits"
    text = (
        f"Hello,\n\n{subject}: of the {in_credits(alert.granted)} credits of plan {alert.plan.value} for "
        f"{alert.period}, {in_credits(alert.balance)} are left.\n\n{_what_follows(alert)}\n\n"
        "New credits come with the next month; a larger plan brings more at once. You get this mail because "
        "you are an owner or admin of the organization, at most once a month and level.\n\nPodium"
    )
    with suppress(ValueError):
        return Mail(to=user.email or "", subject=subject[:200], text=f"{text}\n", html=paragraphs(text))
    return None


def _what_follows(alert: CreditAlert) -> str:
    if alert.policy is CreditPolicy.RECORD:
        return "Runs go on when no credits are left: the organization's policy is to record what they cost."
    if alert.balance <= 0:
        return "New runs are refused until there are credits again. Runs that had begun are not interrupted."
    return "New runs are refused once no credits are left. Runs that have begun by then are not interrupted."

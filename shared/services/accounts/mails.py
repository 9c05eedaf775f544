"""What Podium's mails say."""

from __future__ import annotations

from html import escape

from shared.mail.mail import Mail
from shared.model.organization import Role
from shared.model.otp import Purpose
from shared.services.accounts.lifecycle import LIFETIME

_MINUTES = int(LIFETIME.total_seconds() // 60)
_DOING = {Purpose.SIGNUP: "sign up for", Purpose.LOGIN: "log in to"}
_BOX = "font:700 28px monospace;letter-spacing:6px;padding:12px 20px;background:#f2f2f2;display:inline-block"
_LONGEST_NAME = 100


def code_mail(address: str, purpose: Purpose, code: str) -> Mail:
    """Return the mail with a code."""
    doing = _DOING[purpose]
    before = f"Hello,\n\nthis is your code to {doing} Podium:"
    after = (
        f"It is valid for {_MINUTES} minutes and works once. Nobody from Podium will ever ask you for it.\n\n"
        "If you did not ask for a code, you can ignore this mail.\n\nPodium"
    )
    # Not in the subject: lock screens show it.
    return Mail(
        to=address,
        subject=f"Your code to {doing} Podium",
        text=f"{before}\n\n    {code}\n\n{after}\n",
        html=f'{paragraphs(before)}<p style="{_BOX}">{code}</p>{paragraphs(after)}',
    )


def invitation_mail(
    address: str, *, organization_name: str, inviter: str, role: Role, token: str, base_url: str, days: int
) -> Mail:
    """Return the mail with an invitation's token."""
    name = one_line(organization_name)
    article = "an" if role is Role.ADMIN else "a"
    command = (
        f"curl -X POST {base_url}/acceptInvitation -H 'Content-Type: application/json' "
        f'-d \'{{"token": "{token}"}}\''
    )
    before = (
        f"Hello,\n\n{one_line(inviter)} invites you to join {name} on Podium as {article} {role.value}.\n\n"
        "To accept, send this token:"
    )
    after = (
        f"The answer holds your API key, this once. The invitation is valid for {days} days and works once; "
        "keep the token to yourself.\n\nIf you do not know the sender, you can ignore this mail.\n\nPodium"
    )
    return Mail(
        to=address,
        subject=f"Join {name} on Podium",
        text=f"{before}\n\n    {token}\n\nfor example with:\n\n    {command}\n\n{after}\n",
        html=f"{paragraphs(before)}<p><code>{escape(token)}</code></p><p>for example with:</p>"
        f"<pre>{escape(command)}</pre>{paragraphs(after)}",
    )


def paragraphs(text: str) -> str:
    """Return a text as HTML."""
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n"))


def one_line(name: str) -> str:
    """Return what somebody called something, fit for a subject."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:_LONGEST_NAME]

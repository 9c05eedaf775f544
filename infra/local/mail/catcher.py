"""The SMTP server that catches mails."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.local.mail.mailbox import CaughtMail, Mailbox


class Catcher:
    """Handler of aiosmtpd: puts every mail into the mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail, and only then accept it."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        self._mailbox.add(caught(raw, [str(address) for address in envelope.rcpt_tos]))
        return "250 Kept"


def caught(raw: bytes, recipients: list[str]) -> CaughtMail:
    """Return what a raw message says to its recipients."""
    message = message_from_bytes(raw, _class=EmailMessage, policy=default)
    return CaughtMail(
        received_at=datetime.now(UTC).isoformat(),
        sender=str(message["From"]),
        to=[address.lower() for address in recipients],
        subject=str(message["Subject"]),
        text=_part(message, "plain") or "",
        html=_part(message, "html"),
    )


async def serve(mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """Listen for mails; port 0 chooses one."""
    catcher = Catcher(mailbox)
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(catcher, hostname="podium.local", ident="podium"), host, port
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body((kind,))
    return None if body is None else str(body.get_content())

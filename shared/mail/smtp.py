"""Mail over SMTP."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from ssl import SSLContext

import aiosmtplib

from shared.mail.config import SmtpConfig
from shared.mail.errors import MailNotSent
from shared.mail.mail import Mail
from shared.sources import Sources


class SmtpMailer:
    """Implements :class:`~shared.mail.mail.Mailer` with one connection for each mail."""

    def __init__(self, config: SmtpConfig, sources: Sources, tls: SSLContext | None = None) -> None:
        """Send through ``config``; ``tls`` replaces the machine's list of trusted authorities."""
        self._config = config
        self._sources = sources
        self._tls = tls

    async def send(self, mail: Mail) -> None:
        """See :meth:`Mailer.send`."""
        reason = await self._failure(self._message(mail))
        if reason is not None:
            # Raised out here, without the cause: it may quote what the server said about the credentials.
            raise MailNotSent(reason)

    async def close(self) -> None:
        """Close nothing: no connection outlives its mail."""

    async def _failure(self, message: EmailMessage) -> str | None:
        config = self._config
        try:
            await aiosmtplib.send(
                message,
                hostname=config.host,
                port=config.port,
                username=config.username,
                password=config.password,
                use_tls=config.security == "tls",
                start_tls=config.security == "starttls",
                tls_context=self._tls,
                timeout=config.timeout_seconds,
            )
        except aiosmtplib.SMTPResponseException as error:
            return f"the mail server answered {error.code}"
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return type(error).__name__
        return None

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._config.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._sources.now())
        message["Message-ID"] = make_msgid(domain=parseaddr(self._config.sender)[1].rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        return message

"""The mailer a project is configured with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from shared.mail.config import HttpConfig, read_config
from shared.mail.mail import Mail, Mailer
from shared.mail.provider import HttpMailer
from shared.mail.smtp import SmtpMailer
from shared.sources import Sources

MAX_AGE_SECONDS = 900.0


class ConfiguredMailer:
    """Reads the configuration with the first mail, and again when it has grown old or a mail failed."""

    def __init__(
        self,
        read: Callable[[], Awaitable[str]],
        sources: Sources,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what reads the configuration's text; ``clock`` returns seconds that only grow."""
        self._read = read
        self._sources = sources
        self._clock = clock
        self._lock = asyncio.Lock()
        self._text: str | None = None
        self._mailer: Mailer | None = None
        self._fresh_until = 0.0

    async def send(self, mail: Mail) -> None:
        """See :meth:`Mailer.send`. Raises what reading the configuration raises, too."""
        mailer = await self._current()
        try:
            await mailer.send(mail)
        except BaseException:
            self._fresh_until = 0.0
            raise

    async def close(self) -> None:
        """Close the mailer in use."""
        if self._mailer is not None:
            await self._mailer.close()
            self._mailer = None

    async def _current(self) -> Mailer:
        async with self._lock:
            if self._mailer is None or self._clock() >= self._fresh_until:
                text = await self._read()
                if text != self._text or self._mailer is None:
                    # The one before may still be sending: it is left to be collected.
                    self._mailer, self._text = self._opened(text), text
                self._fresh_until = self._clock() + MAX_AGE_SECONDS
            return self._mailer

    def _opened(self, text: str) -> Mailer:
        config = read_config(text)
        return HttpMailer(config) if isinstance(config, HttpConfig) else SmtpMailer(config, self._sources)

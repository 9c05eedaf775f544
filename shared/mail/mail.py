"""A mail, and the port that sends it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

_ONE_ADDRESS = re.compile(r"[!-~]{1,64}@[A-Za-z0-9.-]{1,255}")
_SEPARATORS = frozenset('<>()[],;:"\\')
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. The text is the whole message; ``html`` says the same with more form.

    Raises:
        ValueError: the recipient is not exactly one plain address, or the subject is not one line. Nothing
            of either can become a header of its own.
    """

    to: str
    subject: str
    text: str = field(repr=False)
    """What a mail says may open an account: it is never shown."""
    html: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what could become more than one header or recipient."""
        if not _ONE_ADDRESS.fullmatch(self.to) or _SEPARATORS & set(self.to) or self.to.count("@") != 1:
            raise ValueError("a mail goes to exactly one plain address")
        if not _ONE_LINE.fullmatch(self.subject):
            raise ValueError("a subject is one line of at most 200 characters")


class Mailer(Protocol):
    """Hands mails to somebody who delivers them."""

    async def send(self, mail: Mail) -> None:
        """Return once the mail was accepted for delivery.

        Raises:
            MailNotSent: it was refused, or nobody answered in time.
        """

    async def close(self) -> None:
        """Close what was opened."""

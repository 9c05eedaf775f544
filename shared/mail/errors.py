"""What can go wrong with a mail."""

from __future__ import annotations

from shared.errors import Internal


class MailNotSent(Internal):
    """Nobody took the mail. ``reason`` names a kind of failure, never an address or a credential."""

    default_code = "MAIL_NOT_SENT"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The mail could not be sent ({reason}). Try again in a minute.")
        self.reason = reason

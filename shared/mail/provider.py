"""Mail through a provider's HTTP API."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from shared.mail.config import HttpConfig
from shared.mail.errors import MailNotSent
from shared.mail.mail import Mail


class HttpMailer:
    """Implements :class:`~shared.mail.mail.Mailer` with one POST for each mail; any 2xx is acceptance."""

    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._http = httpx.AsyncClient(timeout=config.timeout_seconds, headers=config.headers)

    async def send(self, mail: Mail) -> None:
        """See :meth:`Mailer.send`."""
        values = {"from": self._config.sender, "to": mail.to, "subject": mail.subject, "text": mail.text}
        body = filled(self._config.body, {**values, "html": mail.html or ""})
        failed: str | None = None
        try:
            answer = await self._http.post(self._config.url, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failed = type(error).__name__
        else:
            failed = None if answer.is_success else f"the mail provider answered {answer.status_code}"
        if failed is not None:
            # Raised out here, without the cause: it carries the request with its credentials.
            raise MailNotSent(failed)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def filled(template: object, values: Mapping[str, str]) -> object:
    """Return the request with every text ``{name}`` replaced by its value; values are data, never syntax.

    A field that is ``{html}`` alone is left out when a mail has none.
    """
    if isinstance(template, dict):
        pairs = ((key, part) for key, part in template.items() if part != "{html}" or values["html"])
        return {key: filled(part, values) for key, part in pairs}
    if isinstance(template, list):
        return [filled(part, values) for part in template]
    if isinstance(template, str) and template.startswith("{") and template.endswith("}"):
        return values.get(template[1:-1], template)
    return template

"""How a project sends mail: the content of one secret, as JSON.

SMTP::

    {"kind": "smtp", "host": "smtp.example.com", "port": 587, "security": "starttls",
     "username": "podium", "password": "…", "from": "Podium <podium@example.com>"}

A provider's HTTP API; ``body`` is its request with ``{from}``, ``{to}``, ``{subject}``, ``{text}`` and
``{html}`` where they belong::

    {"kind": "http", "url": "https://api.example.com/email", "headers": {"X-Token": "…"},
     "from": "Podium <podium@example.com>", "body": {"From": "{from}", "To": "{to}", …}}
"""

from __future__ import annotations

from email.utils import parseaddr
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from shared.mail.errors import MailNotSent

_BODY = {"from": "{from}", "to": "{to}", "subject": "{subject}", "text": "{text}", "html": "{html}"}


class _Config(BaseModel):
    # A validation error must not quote a password.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    sender: str = Field(alias="from", max_length=200)
    timeout_seconds: float = Field(default=10, gt=0, le=60, alias="timeoutSeconds")

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.isprintable() or "@" not in parseaddr(value)[1]:
            raise ValueError("a sender looks like: Podium <podium@example.com>")
        return value


class SmtpConfig(_Config):
    """An SMTP server. In the open it is spoken to on this machine alone."""

    kind: Literal["smtp"]
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _is_protected(self) -> SmtpConfig:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError('security "none" is for a server on this machine')
        return self


class HttpConfig(_Config):
    """A provider's HTTP API: one POST of JSON for each mail. In the open it is for this machine alone."""

    kind: Literal["http"]
    url: str
    headers: dict[str, str] = Field(default={}, repr=False)
    body: dict[str, Any] = _BODY

    @model_validator(mode="after")
    def _is_protected(self) -> HttpConfig:
        parts = urlsplit(self.url)
        if not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))):
            raise ValueError("url must begin with https://")
        return self


Config = SmtpConfig | HttpConfig

_CONFIG: TypeAdapter[Config] = TypeAdapter(Annotated[Config, Field(discriminator="kind")])


def read_config(text: str) -> Config:
    """Return the configuration that a secret's text holds.

    Raises:
        MailNotSent: it is none; the message names the fields that are wrong, not what they hold.
    """
    try:
        return _CONFIG.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    wrong = ", ".join(".".join(map(str, problem["loc"])) or problem["type"] for problem in problems)
    raise MailNotSent(f"its configuration is not valid: {wrong}")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

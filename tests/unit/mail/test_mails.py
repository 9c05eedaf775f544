"""What a mail may be, and what a configuration may say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.config import HttpConfig, SmtpConfig, read_config
from shared.mail.configured import MAX_AGE_SECONDS, ConfiguredMailer
from shared.mail.errors import MailNotSent
from shared.mail.mail import Mail
from shared.mail.provider import filled
from shared.sources import Sources

SMTP = {"kind": "smtp", "host": "smtp.example.com", "port": 587, "from": "Podium <podium@example.com>"}
HTTP = {"kind": "http", "url": "https://api.example.com/mail", "from": "podium@example.com"}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.com",
        "a@b.com\r\nBcc: c@d.com",
        "a@b.com\n",
        "a@b.com,c@d.com",
        "a@b.com c@d.com",
        "<a@b.com>",
        "A <a@b.com>",
        "a@b@c.com",
        "a;b@c.com",
        '"a"@b.com',
        "ä@b.com",
        "a@bü.com",
        "a@b.com\x00",
    ],
)
def test_a_mail_goes_to_one_plain_address(address: str) -> None:
    with pytest.raises(ValueError, match="exactly one plain address"):
        Mail(address, "Subject", "text")


@pytest.mark.parametrize(
    "subject", ["", "a\r\nBcc: x@y.com", "a\nb", "a\rb", "a\x00b", "a\u2028b", "x" * 201]
)
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        Mail("a@b.com", subject, "text")


def test_a_mail_does_not_show_what_it_says() -> None:
    assert "012345" not in repr(Mail("a@b.com", "Subject", "012345", "<b>012345</b>"))


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=4), st.text(max_size=40))
def test_values_never_change_the_shape_of_a_request(extra: dict[str, str], value: str) -> None:
    template = {**extra, "nested": [{"to": "{to}"}, "{subject}"], "flag": True}
    values = dict.fromkeys(("from", "to", "subject", "text", "html"), value)

    request = filled(template, values)

    assert isinstance(request, dict)
    assert request["nested"] == [{"to": value}, value]
    assert request["flag"] is True


def test_smtp_is_encrypted_unless_the_server_is_on_this_machine() -> None:
    config = read_config(json.dumps(SMTP))
    assert isinstance(config, SmtpConfig)
    assert config.security == "starttls"
    for host in ("127.0.0.1", "::1", "localhost"):
        read_config(json.dumps({**SMTP, "security": "none", "host": host}))
    with pytest.raises(MailNotSent):
        read_config(json.dumps({**SMTP, "security": "none"}))


def test_a_provider_is_reached_over_https_alone() -> None:
    assert isinstance(read_config(json.dumps(HTTP)), HttpConfig)
    for url in (
        "http://api.example.com/mail",
        "ftp://127.0.0.1/",
        "api.example.com",
        "http://127.0.0.1.example.com/",
    ):
        with pytest.raises(MailNotSent):
            read_config(json.dumps({**HTTP, "url": url}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "a-password-alone",
        json.dumps({**SMTP, "port": "a-password", "password": "a-password"}),
        json.dumps({**SMTP, "from": "a-password\nBcc: x@y.com"}),
        json.dumps({**SMTP, "pasword": "a-password"}),
    ],
)
def test_a_wrong_configuration_is_explained_without_being_quoted(text: str) -> None:
    with pytest.raises(MailNotSent) as caught:
        read_config(text)
    assert "configuration is not valid" in caught.value.message
    assert "a-password" not in caught.value.message


def test_a_configuration_does_not_show_its_credentials() -> None:
    smtp = read_config(json.dumps({**SMTP, "username": "u", "password": "the-password"}))
    http = read_config(json.dumps({**HTTP, "headers": {"X-Token": "the-password"}}))
    assert "the-password" not in repr(smtp) + repr(http)


async def test_the_configuration_is_read_once_and_again_after_a_quarter_of_an_hour_or_a_failure() -> None:
    reads: list[str] = []
    now = [0.0]
    # Nobody listens at port 1.
    config = json.dumps({**SMTP, "host": "127.0.0.1", "port": 1, "security": "none"})

    async def read() -> str:
        reads.append(config)
        return config

    mailer = ConfiguredMailer(read, Sources(), lambda: now[0])
    first = await mailer._current()
    assert await mailer._current() is first
    assert len(reads) == 1
    now[0] = MAX_AGE_SECONDS
    assert await mailer._current() is first
    assert len(reads) == 2
    with pytest.raises(MailNotSent):
        await mailer.send(Mail("a@b.com", "Subject", "text"))
    await mailer._current()
    assert len(reads) == 3
    await mailer.close()

"""What every mailer does, whatever it speaks."""

from __future__ import annotations

import asyncio
import traceback

import pytest
from aiosmtpd.smtp import SMTP

from shared.mail.errors import MailNotSent
from shared.mail.mail import Mail
from shared.mail.smtp import SmtpMailer
from shared.sources import Sources
from tests.contract.mail.conftest import PASSWORD, SENDER, Certificate, Delivery, smtp_config

TEXT = "Grüße ☃\n\n    012345\n\n.\n.. a line of dots\n" + "long " * 400 + "\nFrom here on: the end\n"


async def test_a_mail_arrives_as_it_was_written(delivery: Delivery) -> None:
    html = "<p>Grüße ☃ <b>012345</b></p>"
    await delivery.mailer.send(Mail("somebody+tag@example.com", "Grüße ☃ from Podium", TEXT, html))

    (mail,) = delivery.arrived
    assert mail.sender == SENDER
    assert mail.to == ["somebody+tag@example.com"]
    assert mail.subject == "Grüße ☃ from Podium"
    assert mail.text.splitlines() == TEXT.splitlines()
    assert (mail.html or "").strip() == html
    assert mail.code == "012345"


async def test_a_mail_without_html_is_plain_text(delivery: Delivery) -> None:
    await delivery.mailer.send(Mail("a@example.com", "Plain", "Just text"))

    assert (delivery.arrived[0].text.strip(), delivery.arrived[0].html) == ("Just text", None)


async def test_what_looks_like_a_header_or_a_placeholder_stays_text(delivery: Delivery) -> None:
    text = 'Bcc: everybody@example.com\n\n{to} {{"subject": 1}} ", "to": "x"\n{html}'
    await delivery.mailer.send(Mail("a@example.com", 'A "quoted" {to} subject', text))

    (mail,) = delivery.arrived
    assert mail.to == ["a@example.com"]
    assert mail.subject == 'A "quoted" {to} subject'
    assert mail.text.splitlines() == text.splitlines()


async def test_several_mails_go_to_their_own_recipients(delivery: Delivery) -> None:
    for number in range(3):
        await delivery.mailer.send(Mail(f"n{number}@example.com", f"Mail {number}", f"text {number}"))

    assert [(mail.to, mail.subject) for mail in delivery.arrived] == [
        ([f"n{number}@example.com"], f"Mail {number}") for number in range(3)
    ]


async def test_a_refused_mail_is_an_error_that_says_so_and_shows_no_credentials(delivery: Delivery) -> None:
    delivery.refusing = True

    code = "".join(str(digit) for digit in range(6))
    mail = Mail(f"a{code}@example.com", "Subject", f"the text {code}")

    with pytest.raises(MailNotSent) as caught:
        await delivery.mailer.send(mail)

    said = "".join(traceback.format_exception(caught.value))
    assert "answered 5" in said or "answered 4" in said
    assert delivery.arrived == []
    assert not any(secret in said for secret in (PASSWORD, code, "Not today"))


async def test_a_server_that_is_down_is_an_error(delivery: Delivery) -> None:
    assert delivery.stop is not None
    await delivery.stop()

    with pytest.raises(MailNotSent):
        await delivery.mailer.send(Mail("a@example.com", "Subject", "text"))


async def test_a_mailer_shows_no_credentials(delivery: Delivery) -> None:
    assert PASSWORD not in repr(vars(delivery.mailer))


async def test_smtp_refuses_a_server_whose_certificate_nobody_vouches_for(
    delivery: Delivery, certificate: Certificate
) -> None:
    if not isinstance(delivery.mailer, SmtpMailer) or delivery.mailer._config.security == "none":
        pytest.skip("there is no certificate")
    unknowing = SmtpMailer(delivery.mailer._config, Sources())

    with pytest.raises(MailNotSent):
        await unknowing.send(Mail("a@example.com", "Subject", "text"))
    assert delivery.arrived == []


async def test_smtp_does_not_fall_back_to_plain_text(certificate: Certificate) -> None:
    seen: list[bytes] = []

    class Plain(SMTP):
        async def smtp_AUTH(self, argument: str) -> None:
            seen.append(argument.encode())

    server = await asyncio.get_running_loop().create_server(
        lambda: Plain(object(), hostname="localhost"), "127.0.0.1", 0
    )
    mailer = SmtpMailer(smtp_config(server.sockets[0].getsockname()[1]), Sources(), certificate.client)

    with pytest.raises(MailNotSent):
        await mailer.send(Mail("a@example.com", "Subject", "text"))
    server.close()
    await server.wait_closed()
    assert seen == []

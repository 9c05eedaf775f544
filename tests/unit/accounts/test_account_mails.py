"""What Podium's mails say, and what nobody can make them say."""

from __future__ import annotations

import pytest

from infra.local.mail.mailbox import CaughtMail
from shared.model.organization import Role
from shared.model.otp import Purpose
from shared.services.accounts.mails import code_mail, invitation_mail


@pytest.mark.parametrize("purpose", Purpose)
def test_a_code_stands_on_a_line_of_its_own_with_how_long_it_lives(purpose: Purpose) -> None:
    mail = code_mail("a@b.co", purpose, "004217")

    assert "    004217\n" in mail.text
    assert "10 minutes" in mail.text
    assert "004217" not in mail.subject
    assert CaughtMail("", "", [], "", mail.text).code == "004217"
    assert mail.html is not None
    assert ">004217<" in mail.html


def test_the_two_purposes_read_differently() -> None:
    assert "sign up" in code_mail("a@b.co", Purpose.SIGNUP, "1").text
    assert "log in" in code_mail("a@b.co", Purpose.LOGIN, "1").text


@pytest.mark.parametrize(
    "name", ["Acme\r\nBcc: x@y.zz", "<script>alert(1)</script>", "A\u202eB", "x" * 500, "\x00"]
)
def test_a_name_is_text_and_never_a_header_or_markup(name: str) -> None:
    mail = invitation_mail(
        "a@b.co",
        organization_name=name,
        inviter=name,
        role=Role.ADMIN,
        token="inv_token",
        base_url="https://podium.example",
        days=7,
    )

    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert len(mail.subject) < 150
    assert mail.html is not None
    assert "<script" not in mail.html
    assert "as an admin" in mail.text
    assert "7 days" in mail.text
    assert "inv_token" not in mail.subject
    assert "https://podium.example/acceptInvitation" in mail.text

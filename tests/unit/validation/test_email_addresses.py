"""Which texts are e-mail addresses (platform §5)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.mail.mail import Mail
from shared.model.user import address_digest
from shared.validation.email import email_address


def code_of(given: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        email_address(given)
    assert caught.value.status == 400
    assert caught.value.next_action
    return caught.value.code


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a@b.co", "a@b.co"),
        ("  Somebody.Else+Tag@Example.COM \r\n", "somebody.else+tag@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@sub.domain.example.museum", "a@sub.domain.example.museum"),
        ("1@2.example", "1@2.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_an_address_is_kept_trimmed_and_in_lower_case(given: str, kept: str) -> None:
    assert email_address(given) == kept


@pytest.mark.parametrize("given", [None, "", "   ", "\t\r\n"])
def test_no_address_is_required(given: object) -> None:
    assert code_of(given) == "EMAIL_REQUIRED"


@pytest.mark.parametrize(
    "given",
    [
        "a",
        "@b.co",
        "a@",
        "a@b",
        "a@localhost",
        "a@b.co.",
        "a@.b.co",
        "a@b..co",
        "a@-b.co",
        "a@b-.co",
        "a@b.1",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        ".a@b.co",
        "a.@b.co",
        "a..a@b.co",
        "a b@c.co",
        "a@b c.co",
        "a@b.co,c@d.co",
        "a@b.co;c@d.co",
        "a@b.co c@d.co",
        "a@b@c.co",
        "<a@b.co>",
        "A <a@b.co>",
        '"a b"@c.co',
        "a@b.co\r\nBcc: c@d.co",
        "a@b.co\x00",
        "a\x00@b.co",
        "a@b.co\u2028",
        "ä@b.co",
        "a@bücher.example",
        "a@b.ⅽo",
        "\u212aelvin@example.com",
        "a\u202e@b.co",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".co",
        "a@" + ".".join(["b" * 60] * 5) + ".co",
        "a" * 1_000_000,
        5,
        True,
        1.5,
        ["a@b.co"],
        {"email": "a@b.co"},
    ],
)
def test_what_no_mail_can_be_sent_to_is_no_address(given: object) -> None:
    assert code_of(given) == "EMAIL_INVALID"


@given(st.one_of(st.text(max_size=40), st.emails(), st.from_regex(r"[^@]{1,9}@[^@]{1,9}\.[^@]{1,5}")))
@example("a@b.co\n")
def test_whatever_is_kept_can_be_mailed_to_and_is_found_again(text: str) -> None:
    try:
        kept = email_address(text)
    except InvalidRequest:
        return
    assert email_address(kept.upper()) == kept
    assert address_digest(text) == address_digest(kept)
    assert Mail(kept, "Subject", "text").to == kept

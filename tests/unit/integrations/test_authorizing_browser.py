"""What ties an authorization to a browser."""

from __future__ import annotations

import base64

import orjson
import pytest

from shared.oauth.account import account_of
from shared.services.integrations.oauth.browser import (
    COOKIE,
    browser_digest,
    code_digest,
    cookie_of,
    form_token,
    same,
    set_cookie,
)

VALUE = "aB3_-" * 8 + "xyz"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"{COOKIE}={VALUE}", VALUE),
        (f"a=b; {COOKIE}={VALUE}; c=d", VALUE),
        (f"x{COOKIE}={VALUE}", None),
        (f"{COOKIE}={VALUE}x", None),
        (f"{COOKIE}=", None),
        ("", None),
    ],
)
def test_only_a_value_of_our_shape_is_a_cookie(header: str, expected: str | None) -> None:
    assert cookie_of(header) == expected


def test_a_cookie_is_out_of_reach_of_scripts_and_plain_http() -> None:
    secure, plain = (set_cookie(VALUE, base, 60) for base in ("https://a.example", "http://127.0.0.1"))

    assert secure == f"{COOKIE}={VALUE}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
    assert "Secure" not in plain
    assert "Domain" not in secure


def test_what_is_stored_sent_and_kept_are_three_things() -> None:
    seen = {VALUE, browser_digest(VALUE, "s"), form_token(VALUE, "s"), code_digest(VALUE, "s")}
    elsewhere = {browser_digest(VALUE, "t"), form_token(VALUE, "t"), code_digest(VALUE, "t")}

    assert len(seen | elsewhere) == 7


def test_nothing_is_the_same_as_nothing() -> None:
    assert not same(None, browser_digest(VALUE, "s"))
    assert same(code_digest("bdfg-hjkl", "s"), code_digest(" BDFG HJKL", "s"))
    assert not same("\ud800", "x")


def _identity(claims: object) -> dict[str, object]:
    body = base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=").decode()
    return {"id_token": f"e30.{body}.sig"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_identity({"email": "a@b.example", "name": "A"}), "a@b.example"),
        (_identity({"preferred_username": "a@c.example"}), "a@c.example"),
        ({"owner": {"user": {"person": {"email": "n@b.example"}}}, "workspace_name": "W"}, "n@b.example"),
        ({"workspace_name": "W"}, "W"),
        ({"team": {"name": "T\n\x07eam"}}, "T eam"),
        ({"team": "T"}, None),
        (_identity(["no"]), None),
        ({"id_token": "a.%%%.c"}, None),
        ({"id_token": "a.b"}, None),
        ({"id_token": "e30.gICA.s"}, None),
        ({}, None),
    ],
)
def test_an_account_is_called_what_the_provider_calls_it(
    answer: dict[str, object], expected: str | None
) -> None:
    assert account_of(answer) == expected

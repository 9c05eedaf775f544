"""Hostile headers and bodies: whatever arrives, the answer is a match or a refusal (platform §14).

``SIGNATURE_INPUTS`` says how many are tried.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import random
from collections import Counter

import pytest

from shared.errors import InvalidRequest, PlatformError, Unauthorized
from shared.http.bodies import parse_any
from shared.model.signing import Signer
from shared.services.runs.signed import challenge_of, described, signed_payload
from shared.signatures import SigningSecret, is_signed, verify

INPUTS = int(os.environ.get("SIGNATURE_INPUTS", "5000"))
NOW = 1_800_000_000
KEY = bytes(range(24))
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
SECRETS = [
    SigningSecret("s0", "standard", "whsec_" + base64.b64encode(b"another key of somebody").decode()),
    *(SigningSecret(f"s-{kind}", kind, WHSEC) for kind in ("standard", "stripe", "github", "slack")),
    SigningSecret("s9", "standard", "no base64 at all \ud800"),
]
NAMES = (
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
    *("svix-id", "svix-timestamp", "svix-signature"),
    *("stripe-signature", "x-hub-signature-256", "x-hub-signature", "x-github-delivery", "x-github-event"),
    *("x-slack-signature", "x-slack-request-timestamp", "content-type"),
)
PIECES = (
    *("v1,", "v1a,", "v2,", "t=", "v1=", "v0=", "sha256=", "sha1=", ",", "=", " ", "  ", ";", "."),
    *(str(NOW), str(NOW - 301), "-1", "1e9", "+18", "\u0661\u0668", "9" * 400, "nan", "0x10", "1_8"),
    *("MA==", "MA", "====", "00", "0", "zz", "\x00", "\r\n", "\ud800", "\xff", "\u2028", "a" * 9000),
)
TYPES = ("", "application/json", "application/x-www-form-urlencoded", "text/plain; charset=x", "\x00/;;=")
BODIES = (
    *(
        b"",
        b" ",
        b"null",
        b"{}",
        b'{"payload":{"a":1}}',
        b'{"payload":1,"b":2}',
        b"[1]",
        b"5",
        b"{",
        b"\xff\xfe",
    ),
    *(b"payload=%7B%22a%22%3A1%7D", b"payload=%7B", b"a=1&a=2&a=3", b"&&&=&%", b"%ff=%00", b"a=1;b=2"),
    *(b"[" * 5000, b"x=" * 3000, b"a&" * 1200, b'{"type":"url_verification","challenge":"\\u0000"}'),
    b'{"type":"url_verification","challenge":["a"]}',
)


def _tag(body: bytes, head: str = "") -> bytes:
    return hmac.digest(KEY, head.encode() + body, hashlib.sha256)


def _as_is(body: bytes, head: str = "") -> str:
    return hmac.digest(WHSEC.encode(), head.encode() + body, hashlib.sha256).hex()


def _valid(dice: random.Random, body: bytes) -> list[tuple[str, str]]:
    at = str(NOW + dice.randint(-300, 300))
    match dice.choice(("webhook", "svix", "stripe", "github", "slack")):
        case "stripe":
            return [("Stripe-Signature", f"t={at},v1={_as_is(body, at + '.')},v0=00")]
        case "github":
            tag = f"sha256={_as_is(body)}"
            return [("X-Hub-Signature-256", tag), ("X-GitHub-Delivery", "d"), ("X-GitHub-Event", "push")]
        case "slack":
            tag = _as_is(body, f"v0:{at}:")
            return [("X-Slack-Signature", f"v0={tag}"), ("X-Slack-Request-Timestamp", at)]
        case prefix:
            tag = base64.b64encode(_tag(body, f"e.{at}.")).decode()
            return [(f"{prefix}-id", "e"), (f"{prefix}-timestamp", at), (f"{prefix}-signature", f"v1,{tag}")]


def _text(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return "".join(dice.choices(PIECES, k=dice.randint(0, 6)))
    return "".join(chr(dice.choice((dice.randint(0, 255), dice.randint(0, 0x10FFFF)))) for _ in range(9))


def _mutated(dice: random.Random, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Change, drop, repeat or add one header, so that nothing of it is what was signed."""
    at = dice.randrange(len(headers))
    name, value = headers[at]
    match dice.randrange(5):
        case 0:
            return headers[:at] + headers[at + 1 :]
        case 1:
            return [*headers, headers[at]]
        case 2:
            cut = dice.randrange(len(value) + 1)
            return [*headers[:at], (name, value[:cut] + _text(dice) + value[cut + 1 :]), *headers[at + 1 :]]
        case 3:
            return [*headers, (dice.choice(NAMES), _text(dice))]
        case _:
            return [(dice.choice(NAMES), _text(dice)) for _ in range(dice.randint(0, 6))]


def _body(dice: random.Random) -> bytes:
    if dice.random() < 0.6:
        return dice.choice(BODIES)
    return dice.randbytes(dice.randint(0, 60))


def test_hostile_calls_are_refused_and_break_nothing() -> None:
    dice, seen = random.Random(20), Counter[str]()
    for _ in range(INPUTS):
        body = _body(dice)
        headers = _valid(dice, body)
        untouched = dice.random() < 0.2
        if not untouched:
            headers = _mutated(dice, headers)
        altered = not untouched and dice.random() < 0.3
        arrived = body + b"\x00" if altered else body
        by_name = {name.lower(): value for name, value in headers}
        is_signed(by_name)
        try:
            match = verify(headers, arrived, SECRETS, NOW)
        except (InvalidRequest, Unauthorized) as refusal:
            assert not untouched
            seen[refusal.code] += 1
            continue
        assert not altered
        seen["accepted"] += 1
        try:
            parsed = parse_any(arrived, dice.choice(TYPES))
        except InvalidRequest:
            seen["unusable body"] += 1
            continue
        signer = Signer(vendor=match.vendor, secret_id=match.secret_id, delivery_id=match.delivery_id)
        told = described(signer, by_name, parsed)
        assert isinstance(signed_payload(parsed), dict)
        challenge_of(told, parsed)
        assert WHSEC not in told.model_dump_json()

    assert set(seen) == {"accepted", "unusable body", "MALFORMED_SIGNATURE", "INVALID_SIGNATURE"}


def test_no_refusal_names_what_was_sent_or_a_secret() -> None:
    dice = random.Random(21)
    for _ in range(min(INPUTS, 5000)):
        mark = f"mark-{dice.getrandbits(64):x}"
        headers = [(name, f"{value}{mark}") for name, value in _valid(dice, b"{}")]
        with pytest.raises(PlatformError) as refused:
            verify(headers, mark.encode(), SECRETS, NOW)
        assert mark not in refused.value.message
        assert WHSEC not in refused.value.message

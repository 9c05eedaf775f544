"""Signed calls: every vendor's signature is known, and nothing else is taken for one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.errors import PlatformError
from shared.signatures import Match, SigningSecret, is_signed, verify

NOW = 1_800_000_000
KEY = bytes(range(24))
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"event":"paid","amount":5}'

Headers = list[tuple[str, str]]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def _standard(body: bytes, secret: str, at: int, prefix: str = "webhook") -> Headers:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    tag = base64.b64encode(_hmac(key, b"evt_1." + str(at).encode() + b"." + body)).decode()
    return [
        (f"{prefix}-id", "evt_1"),
        (f"{prefix}-timestamp", str(at)),
        (f"{prefix}-signature", f"v1a,Zm9v v1,{tag}"),
    ]


def _svix(body: bytes, secret: str, at: int) -> Headers:
    return _standard(body, secret, at, "svix")


def _stripe(body: bytes, secret: str, at: int) -> Headers:
    tag = _hmac(secret.encode(), str(at).encode() + b"." + body).hex()
    return [("Stripe-Signature", f"t={at},v1={'0' * 64},v1={tag},v0=ab")]


def _github(body: bytes, secret: str, at: int) -> Headers:
    return [("X-Hub-Signature-256", "sha256=" + _hmac(secret.encode(), body).hex())]


def _slack(body: bytes, secret: str, at: int) -> Headers:
    tag = _hmac(secret.encode(), b"v0:" + str(at).encode() + b":" + body).hex()
    return [("X-Slack-Signature", f"v0={tag}"), ("X-Slack-Request-Timestamp", str(at))]


Sign = Callable[[bytes, str, int], Headers]
VENDORS: dict[str, Sign] = {
    "standard": _standard,
    "svix": _svix,
    "stripe": _stripe,
    "github": _github,
    "slack": _slack,
}
TIMED = [vendor for vendor in VENDORS if vendor != "github"]
every_vendor = pytest.mark.parametrize("vendor", VENDORS)


def _secrets(*texts: str) -> list[SigningSecret]:
    return [SigningSecret(f"s{number}", text) for number, text in enumerate(texts)]


def _verify(headers: Headers, body: bytes = BODY, *texts: str, now: float = NOW) -> Match:
    return verify(headers, body, _secrets(*(texts or (WHSEC,))), now)


def _refusal(headers: Headers, body: bytes = BODY, *texts: str, now: float = NOW) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        _verify(headers, body, *texts, now=now)
    return caught.value


@every_vendor
def test_a_signed_call_is_known_by_its_vendor_and_secret(vendor: str) -> None:
    other = "whsec_" + base64.b64encode(b"another").decode()
    match = _verify(VENDORS[vendor](BODY, WHSEC, NOW), BODY, other, WHSEC)
    assert (match.vendor, match.secret_id) == (vendor, "s1")


@every_vendor
def test_another_body_or_secret_is_refused(vendor: str) -> None:
    headers = VENDORS[vendor](BODY, WHSEC, NOW)
    assert _refusal(headers, BODY + b" ").code == "INVALID_SIGNATURE"
    assert _refusal(headers, BODY, "whsec_" + base64.b64encode(b"another").decode()).status == 401


@pytest.mark.parametrize("vendor", TIMED)
@pytest.mark.parametrize("away", [-301, 301])
def test_a_call_from_another_time_is_refused(vendor: str, away: int) -> None:
    assert _refusal(VENDORS[vendor](BODY, WHSEC, NOW + away)).status == 401
    within = away + (1 if away < 0 else -1)
    assert _verify(VENDORS[vendor](BODY, WHSEC, NOW + within)).vendor == vendor


@every_vendor
def test_a_workflow_without_secrets_takes_no_signed_call(vendor: str) -> None:
    with pytest.raises(PlatformError, match="no webhook secret"):
        verify(VENDORS[vendor](BODY, WHSEC, NOW), BODY, [], NOW)


@every_vendor
def test_a_header_that_occurs_twice_is_refused(vendor: str) -> None:
    headers = VENDORS[vendor](BODY, WHSEC, NOW)
    assert _refusal([*headers, headers[0]]).code == "MALFORMED_SIGNATURE"


@every_vendor
def test_the_presence_of_a_signature_is_seen_whether_it_is_good_or_not(vendor: str) -> None:
    headers = {name.lower(): "" for name, _ in VENDORS[vendor](BODY, WHSEC, NOW)}
    assert is_signed(headers)
    assert not is_signed({"x-api-key": "k", "content-type": "application/json"})


@every_vendor
@given(at=st.integers(0, 2**16), bit=st.integers(0, 7))
def test_any_flipped_bit_of_the_body_is_noticed(vendor: str, at: int, bit: int) -> None:
    altered = bytearray(BODY)
    altered[at % len(BODY)] ^= 1 << bit
    assert _refusal(VENDORS[vendor](BODY, WHSEC, NOW), bytes(altered)).status == 401


def test_deliveries_of_one_event_are_recognised() -> None:
    assert _verify(_standard(BODY, WHSEC, NOW)).delivery_id == "evt_1"
    github = [*_github(BODY, WHSEC, NOW), ("X-GitHub-Delivery", "72d3162e")]
    assert _verify(github).delivery_id == "72d3162e"


@given(body=st.binary(max_size=400).filter(lambda b: _is_text(b)), key=st.binary(min_size=1, max_size=64))
def test_what_the_standards_own_library_signs_is_accepted_and_the_other_way_round(
    body: bytes, key: bytes
) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    at = datetime.now(tz=UTC)
    theirs = Webhook(secret)
    signature = theirs.sign("msg_1", at, body.decode())
    headers = [
        ("Webhook-Id", "msg_1"),
        ("Webhook-Timestamp", str(int(at.timestamp()))),
        ("Webhook-Signature", signature),
    ]
    assert verify(headers, body, _secrets(secret), at.timestamp()).vendor == "standard"
    ours = dict(_standard(body, secret, int(at.timestamp())))
    # Their library goes on to parse the body as JSON once the signature was accepted.
    with suppress(ValueError):
        theirs.verify(body, ours)


def test_the_standards_own_library_refuses_what_is_refused_here() -> None:
    at = datetime.now(tz=UTC) - timedelta(minutes=6)
    headers = _standard(BODY, WHSEC, int(at.timestamp()))
    with pytest.raises(WebhookVerificationError):
        Webhook(WHSEC).verify(BODY, dict(headers))
    assert _refusal(headers, now=datetime.now(tz=UTC).timestamp()).status == 401


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


_NAMES = st.sampled_from(
    [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "stripe-signature",
        "x-hub-signature-256",
        "x-github-delivery",
        "x-slack-signature",
        "x-slack-request-timestamp",
    ]
)
_PIECES = st.sampled_from(["v1,", "t=", "v1=", "sha256=", "v0=", ",", "=", " ", str(NOW), "MA==", "00", "٣"])
_VALUES = st.one_of(st.text(), st.lists(_PIECES).map("".join), st.binary().map(lambda b: b.decode("latin-1")))
_HOSTILE = st.lists(st.tuples(_NAMES, _VALUES), max_size=6)


@settings(max_examples=int(os.environ.get("SIGNATURE_INPUTS", "1000")), deadline=None)
@given(headers=_HOSTILE, body=st.binary(max_size=64), secrets=st.lists(st.text(max_size=20), max_size=3))
def test_hostile_headers_and_bodies_are_refused_and_break_nothing(
    headers: Headers, body: bytes, secrets: list[str]
) -> None:
    with pytest.raises(PlatformError) as caught:
        verify(headers, body, _secrets(*secrets), NOW)
    assert caught.value.status in (400, 401)

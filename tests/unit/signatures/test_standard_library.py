"""Agreement with the library that the makers of Standard Webhooks publish for Python."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.errors import PlatformError
from shared.signatures import SigningSecret, verify

Headers = dict[str, str]

KEYS = st.binary(min_size=1, max_size=64)
IDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = JSON.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
PREFIXES = st.sampled_from(["webhook", "svix"])


def _whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def _signed_here(key: bytes, message_id: str, at: int, body: bytes) -> str:
    message = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


def _headers(prefix: str, message_id: str, at: int, signature: str) -> Headers:
    return {f"{prefix}-id": message_id, f"{prefix}-timestamp": str(at), f"{prefix}-signature": signature}


def _ours(secret: str, headers: Headers, body: bytes) -> bool:
    try:
        now = datetime.now(tz=UTC).timestamp()
        verify(list(headers.items()), body, [SigningSecret("s", "standard", secret)], now)
    except PlatformError:
        return False
    return True


def _theirs(secret: str, headers: Headers, body: bytes) -> bool:
    named = {name.replace("svix-", "webhook-"): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, named)
    except WebhookVerificationError:
        return False
    return True


@given(key=KEYS, message_id=IDS, body=BODIES, prefix=PREFIXES)
def test_what_they_sign_we_accept_and_what_we_sign_they_accept(
    key: bytes, message_id: str, body: bytes, prefix: str
) -> None:
    secret, now = _whsec(key), datetime.now(tz=UTC)
    at = int(now.timestamp())
    by_them = Webhook(secret).sign(message_id, now, body.decode())
    by_us = _signed_here(key, message_id, at, body)

    assert by_them == by_us
    assert _ours(secret, _headers(prefix, message_id, at, by_them), body)
    assert _theirs(secret, _headers(prefix, message_id, at, by_us), body)


@given(key=KEYS, other=KEYS, message_id=IDS, body=BODIES, data=st.data())
def test_whatever_is_tampered_with_both_refuse(
    key: bytes, other: bytes, message_id: str, body: bytes, data: st.DataObject
) -> None:
    at = int(datetime.now(tz=UTC).timestamp())
    secret, signature = _whsec(key), _signed_here(key, message_id, at, body)
    tampering = data.draw(st.sampled_from(["body", "id", "time", "tag", "version", "secret", "missing"]))
    headers = _headers("webhook", message_id, at, signature)
    if tampering == "body":
        body += b" "
    elif tampering == "id":
        headers["webhook-id"] += "x"
    elif tampering == "time":
        headers["webhook-timestamp"] = str(at + data.draw(st.sampled_from([-299, -1, 1, 290])))
    elif tampering == "tag":
        tag = bytearray(base64.b64decode(signature.removeprefix("v1,")))
        tag[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        headers["webhook-signature"] = "v1," + base64.b64encode(tag).decode()
    elif tampering == "version":
        headers["webhook-signature"] = signature.replace("v1,", "v2,")
    elif tampering == "missing":
        del headers[data.draw(st.sampled_from(sorted(headers)))]
    elif hmac.digest(other, b"", hashlib.sha256) != hmac.digest(key, b"", hashlib.sha256):
        secret = _whsec(other)
    else:
        return

    assert not _ours(secret, headers, body)
    assert not _theirs(secret, headers, body)


@given(key=KEYS, body=BODIES, others=st.lists(KEYS, max_size=3))
def test_of_several_signatures_one_that_is_right_is_enough_for_both(
    key: bytes, body: bytes, others: list[bytes]
) -> None:
    at = int(datetime.now(tz=UTC).timestamp())
    listed = [_signed_here(other, "m", at, body) for other in others]
    signature = " ".join(["v1a,AAAA", *listed, _signed_here(key, "m", at, body)])
    headers = _headers("webhook", "m", at, signature)

    assert _ours(_whsec(key), headers, body)
    assert _theirs(_whsec(key), headers, body)


@pytest.mark.parametrize(("away", "accepted"), [(-301, False), (-290, True), (290, True), (310, False)])
def test_both_draw_the_line_at_five_minutes(away: int, accepted: bool) -> None:
    at = int((datetime.now(tz=UTC) + timedelta(seconds=away)).timestamp())
    headers = _headers("webhook", "m", at, _signed_here(b"k" * 24, "m", at, b"{}"))

    assert _ours(_whsec(b"k" * 24), headers, b"{}") is accepted
    assert _theirs(_whsec(b"k" * 24), headers, b"{}") is accepted

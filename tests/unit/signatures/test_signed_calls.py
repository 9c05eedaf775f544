"""Signed calls: every vendor's signature is known, and nothing else is taken for one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PlatformError
from shared.signatures import Match, SigningSecret, check_secret, is_signed, verify

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


KINDS = ("standard", "stripe", "github", "slack")


def _secrets(*texts: str) -> list[SigningSecret]:
    return [SigningSecret(f"s{at}", kind, text) for at, text in enumerate(texts) for kind in KINDS]


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


@every_vendor
def test_a_secret_counts_for_the_vendor_it_is_of_alone(vendor: str) -> None:
    headers = VENDORS[vendor](BODY, WHSEC, NOW)
    own = "standard" if vendor == "svix" else vendor
    others = [SigningSecret("s", kind, WHSEC) for kind in KINDS if kind != own]
    with pytest.raises(PlatformError) as caught:
        verify(headers, BODY, others, NOW)
    assert caught.value.code == "INVALID_SIGNATURE"


@pytest.mark.parametrize("vendor", ["stripe", "slack"])
def test_what_one_vendor_signed_with_its_time_cannot_be_passed_off_as_anothers_without_one(
    vendor: str,
) -> None:
    """The tag of a timed message is also the tag GitHub would make of the time and the body."""
    secret, old = "a-secret-of-a-vendor", NOW - 10_000
    head = {"stripe": f"{old}.", "slack": f"v0:{old}:"}[vendor].encode()
    (_, value), *_ = VENDORS[vendor](BODY, secret, old)
    tag = max(value.replace(",", "=").split("="), key=lambda part: (len(part), part != "0" * 64))
    forged = [("X-Hub-Signature-256", f"sha256={tag}")]
    assert verify(forged, head + BODY, [SigningSecret("s", "github", secret)], NOW).vendor == "github"
    with pytest.raises(PlatformError):
        verify(forged, head + BODY, [SigningSecret("s", vendor, secret)], NOW)


def test_an_address_without_secrets_refuses_in_the_words_of_one_whose_secrets_do_not_fit() -> None:
    for sign in VENDORS.values():
        headers = sign(BODY, WHSEC, NOW)
        wrong = _refusal(headers, BODY, "whsec_" + base64.b64encode(b"another-key").decode())
        with pytest.raises(PlatformError) as none:
            verify(headers, BODY, [], NOW)
        assert (none.value.status, none.value.code, none.value.message) == (
            wrong.status,
            wrong.code,
            wrong.message,
        )


def test_nothing_signed_with_the_key_that_stands_in_for_missing_secrets_is_taken() -> None:
    nobodys = "whsec_" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(PlatformError):
        verify(_standard(BODY, nobodys, NOW), BODY, [], NOW)
    with pytest.raises(PlatformError):
        verify(_github(BODY, bytes(32).decode(), NOW), BODY, [], NOW)


@pytest.mark.parametrize(
    ("kind", "text", "wrong"),
    [
        ("standard", WHSEC, None),
        ("standard", WHSEC.removeprefix("whsec_"), None),
        ("standard", "whsec_not*base64", "base64"),
        ("standard", "whsec_=", "base64"),
        ("standard", "whsec_" + base64.b64encode(b"short").decode(), "8 bytes"),
        ("stripe", "whsec_not*base64", None),
        ("github", "It's a Secret to Everybody", None),
        ("github", "seven77", "8 bytes"),
        ("slack", "8f742231b10e8888abcd99yyyzzz85a5", None),
        ("slack", "x" * 1025, "longer"),
        ("slack", "", "empty"),
    ],
)
def test_what_cannot_be_a_secret_of_its_kind_is_not_taken_for_one(
    kind: str, text: str, wrong: str | None
) -> None:
    said = check_secret(kind, text)
    assert (said is None) == (wrong is None)
    assert wrong is None or wrong in f"{said}."
    assert not text or text not in (said or "")


def test_the_examples_of_the_vendors_own_documents_are_accepted() -> None:
    github = [
        (
            "X-Hub-Signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )
    ]
    everybody = SigningSecret("s", "github", "It's a Secret to Everybody")
    assert verify(github, b"Hello, World!", [everybody], NOW).vendor == "github"
    standard = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]
    shown = SigningSecret("s", "standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert verify(standard, b'{"test": 2432232314}', [shown], 1614265330).vendor == "standard"

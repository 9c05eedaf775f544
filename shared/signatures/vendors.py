"""Vendors with a signature of their own: Stripe, GitHub, Slack (platform §14.3)."""

from __future__ import annotations

from shared.signatures.claim import (
    MOST_SIGNATURES,
    Claim,
    Headers,
    Scheme,
    from_hex,
    malformed,
    required,
    seconds,
)


def _text(secret: str) -> tuple[bytes, ...]:
    """Return the key of a secret that is taken as it is."""
    return (secret.encode("utf-8", "surrogatepass"),) if secret else ()


def _stripe(headers: Headers) -> Claim:
    parts = [part.strip().partition("=") for part in required(headers, "stripe-signature").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1:
        raise malformed("Stripe-Signature must have exactly one t=")
    listed = [value for name, _, value in parts if name == "v1"][:MOST_SIGNATURES]
    timestamp = seconds(times[0], "Stripe-Signature")
    return Claim(_tags(listed), times[0].encode() + b".", timestamp, None)


def _github(headers: Headers) -> Claim:
    scheme, _, tag = required(headers, "x-hub-signature-256").partition("=")
    if scheme != "sha256":
        raise malformed("X-Hub-Signature-256 must begin with sha256=")
    return Claim(_tags([tag]), b"", None, headers.get("x-github-delivery", "").strip()[:256] or None)


def _slack(headers: Headers) -> Claim:
    version, _, tag = required(headers, "x-slack-signature").partition("=")
    if version != "v0":
        raise malformed("X-Slack-Signature must begin with v0=")
    sent = required(headers, "x-slack-request-timestamp")
    timestamp = seconds(sent, "X-Slack-Request-Timestamp")
    return Claim(_tags([tag]), b"v0:" + sent.encode() + b":", timestamp, None)


def _tags(listed: list[str]) -> tuple[bytes, ...]:
    return tuple(tag for tag in map(from_hex, listed) if tag is not None)


STRIPE = Scheme("stripe", "stripe", ("stripe-signature",), _stripe, _text)
GITHUB = Scheme("github", "github", ("x-hub-signature-256",), _github, _text)
SLACK = Scheme("slack", "slack", ("x-slack-signature",), _slack, _text)

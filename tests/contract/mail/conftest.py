"""The same mail through a real SMTP server and through a real HTTP API."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.mail.catcher import caught
from infra.local.mail.mailbox import CaughtMail
from shared.mail.config import HttpConfig, SmtpConfig
from shared.mail.mail import Mailer
from shared.mail.provider import HttpMailer
from shared.mail.smtp import SmtpMailer
from shared.sources import Sources

SENDER = "Podium <podium@podium.example>"
USER, PASSWORD = "podium", "the-password-of-the-mail-server"


@dataclass(slots=True)
class Delivery:
    """A mailer, what arrived at its server, and how that server behaves."""

    mailer: Mailer
    arrived: list[CaughtMail] = field(default_factory=list)
    refusing: bool = False
    stop: Callable[[], Awaitable[None]] | None = None


class _Handler:
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self._delivery.refusing:
            return "550 Not today, podium"
        self._delivery.arrived.append(caught(envelope.content, list(envelope.rcpt_tos)))
        return "250 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    right = mechanism in ("LOGIN", "PLAIN") and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right)


def smtp_config(port: int, **changes: Any) -> SmtpConfig:
    given = {"kind": "smtp", "host": "localhost", "port": port, "from": SENDER, "timeoutSeconds": 5}
    return SmtpConfig.model_validate({**given, "username": USER, "password": PASSWORD, **changes})


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for localhost, and a client's context that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    files = (folder / "certificate.pem", folder / "key.pem")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificate(_serving(*files), ssl.create_default_context(cafile=str(files[0])))


def _serving(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def _smtp(stack: AsyncExitStack, certificate: Certificate, security: str) -> Delivery:
    delivery = Delivery(mailer=None)  # type: ignore[arg-type]  # known once the port is
    options: dict[str, Any] = {"authenticator": _authenticate, "auth_require_tls": False}
    if security == "starttls":
        options = {"authenticator": _authenticate, "auth_required": True, "tls_context": certificate.server}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(_Handler(delivery), hostname="localhost", **options),
        "127.0.0.1",
        0,
        ssl=certificate.server if security == "tls" else None,
    )

    async def stop() -> None:
        server.close()
        await server.wait_closed()

    stack.push_async_callback(stop)
    config = smtp_config(server.sockets[0].getsockname()[1], security=security)
    delivery.mailer = SmtpMailer(config, Sources(), certificate.client)
    delivery.stop = stop
    return delivery


async def _http(stack: AsyncExitStack, certificate: Certificate, _: str) -> Delivery:
    delivery = Delivery(mailer=None)  # type: ignore[arg-type]  # known once the port is

    async def take(request: web.Request) -> web.Response:
        if delivery.refusing or request.headers.get("X-Token") != PASSWORD:
            return web.json_response({"error": "Not today, podium"}, status=422)
        sent = await request.json()
        content = {part["type"]: part["value"] for part in sent["content"] if "value" in part}
        (recipient,) = sent["personalizations"][0]["to"]
        html, text = content.get("text/html"), content["text/plain"]
        delivery.arrived.append(
            CaughtMail("", sent["from"], [recipient["email"]], sent["subject"], text, html)
        )
        return web.json_response({}, status=202)

    app = web.Application()
    app.router.add_post("/v3/send", take)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stack.push_async_callback(runner.cleanup)
    port = runner.addresses[0][1]
    body = {
        "personalizations": [{"to": [{"email": "{to}"}]}],
        "from": "{from}",
        "subject": "{subject}",
        "content": [{"type": "text/plain", "value": "{text}"}, {"type": "text/html", "value": "{html}"}],
    }
    given = {"kind": "http", "url": f"http://127.0.0.1:{port}/v3/send", "headers": {"X-Token": PASSWORD}}
    config = HttpConfig.model_validate({**given, "from": SENDER, "body": body, "timeoutSeconds": 5})
    delivery.mailer = HttpMailer(config)
    delivery.stop = runner.cleanup
    stack.push_async_callback(delivery.mailer.close)
    return delivery


KINDS = {
    "smtp in the open": (_smtp, "none"),
    "smtp with STARTTLS": (_smtp, "starttls"),
    "smtp over TLS": (_smtp, "tls"),
    "http": (_http, ""),
}


@pytest.fixture(params=list(KINDS))
async def delivery(request: pytest.FixtureRequest, certificate: Certificate) -> AsyncIterator[Delivery]:
    make, security = KINDS[request.param]
    async with AsyncExitStack() as stack:
        yield await make(stack, certificate, security)

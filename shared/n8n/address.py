"""Where an n8n is."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.errors import InvalidRequest


def normalize(base_url: str) -> str:
    """Return the base URL of an n8n without trailing slash, ``/api/v1``, query or fragment.

    Raises:
        InvalidRequest: it is no http or https URL, or carries a user name or password.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise InvalidRequest("The n8n URL must look like https://n8n.example.com.", field="n8nUrl")
    path = parts.path.rstrip("/").removesuffix("/api/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def origin(url: str) -> str:
    """Return scheme, host and port of a URL: the part that connections are shared by."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(url: str) -> bool:
    """Return whether the URL names this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

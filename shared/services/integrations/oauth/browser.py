"""What ties an authorization to the browser in which somebody agreed to it. Pure.

The browser keeps a random value in a cookie. Stored is a digest of it together with the state, and the page's
form carries another, so none of the three yields one of the others, nor the same of another authorization.
"""

from __future__ import annotations

import hashlib
import hmac
import re

COOKIE = "__session"
"""The one name of a cookie that the hosting in front of the functions lets through."""

_PAIR = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9_-]{{43}})\s*(?=;|$)")


def cookie_of(header: str) -> str | None:
    """Return the value a browser sent, if it has the shape of ours."""
    found = _PAIR.search(header)
    return found[1] if found else None


def set_cookie(value: str, base_url: str, seconds: int) -> str:
    """Return the header that makes a browser keep the value: out of scripts' and other sites' reach.

    Strict would not be sent when the provider sends the user back. Without https, on a developer's machine,
    browsers would not keep a secure one.
    """
    secure = "; Secure" if base_url.startswith("https://") else ""
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def browser_digest(cookie: str, state: str) -> str:
    """Return what a browser that agreed is stored as."""
    return _digest("browser", cookie, state)


def form_token(cookie: str, state: str) -> str:
    """Return what only our page, shown in that browser, has in its form."""
    return _digest("form", cookie, state)


def code_digest(code: str, state: str) -> str:
    """Return what a confirmation code is stored as; how it is spelled makes no difference."""
    spelled = "".join(character for character in code[:100].upper() if character.isalnum())
    return _digest("code", spelled, state)


def same(one: str | None, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest((one or "").encode("utf-8", "surrogatepass"), other.encode())


def _digest(purpose: str, value: str, state: str) -> str:
    return hashlib.sha256(f"{purpose}\n{value}\n{state}".encode("utf-8", "surrogatepass")).hexdigest()

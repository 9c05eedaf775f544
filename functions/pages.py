"""Pages that people see when they authorize an integration: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping

from starlette.responses import Response

from shared.services.integrations.oauth.consent import Question

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}"
    "input,button{font:inherit;padding:.4rem .8rem;margin:.4rem 0}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def message(status: int, title: str, text: str) -> Response:
    """Return a page that says something."""
    return _page(status, title, f"<p>{html.escape(text)}</p>")


def asking(question: Question, fields: Mapping[str, str]) -> Response:
    """Return the page on which somebody agrees; ``fields`` are sent along."""
    name, organization = html.escape(question.integration), html.escape(question.organization)
    member = html.escape(question.member or "")
    whose = f"processes of {member} in <b>{organization}</b>" if member else f"<b>{organization}</b>"
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
        for key, value in fields.items()
    )
    body = (
        f"<p><b>{html.escape(question.starter)}</b> asks you to connect <b>your {name} account</b>. "
        f"Automations of {whose} will act with it, whoever starts them.</p>"
        "<p>Do not go on if you do not know who asks, or did not expect this.</p>"
        f'<form method="post" action="confirmIntegrationAuthorization">{hidden}'
        '<p><label>Confirmation code<br><input name="code" autocomplete="off" required maxlength="20">'
        f'</label></p><p><button type="submit">Connect my {name} account</button></p></form>'
    )
    return _page(200, f"Connect {question.integration}?", body)


def onwards(url: str) -> Response:
    """Return a page that goes on to a provider.

    Not a redirect: browsers apply ``form-action`` to redirects after a form, and providers redirect on.
    """
    address = html.escape(url)
    meta = f'<meta http-equiv="refresh" content="0;url={address}">'
    return _page(200, "One moment", f'<p><a rel="noreferrer" href="{address}">Go on</a></p>', meta)


def _page(status: int, title: str, body: str, head: str = "") -> Response:
    heading = html.escape(title)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title>{head}'
        f"<style>{_STYLE}</style></head><body><h1>{heading}</h1>{body}</body></html>"
    )
    return Response(page, status, headers=_HEADERS, media_type="text/html")

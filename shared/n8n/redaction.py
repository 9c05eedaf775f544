"""Taking secrets out of n8n's run data before anyone outside sees it."""

from __future__ import annotations

REDACTED = "[redacted]"
TOO_DEEP = "[too deeply nested]"

_HIDDEN = frozenset(
    {
        "x-codika-webhook-auth",
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-n8n-api-key",
        "x-process-manager-key",
        "x-auth-token",
        "executionsecret",
        "executionsecretoverride",
        "embedding_secret",
        "embeddingsecret",
        "membersecret",
        "codikaexecutionsecret",
        "codikaembeddingsecret",
        "resumetoken",
    }
)
"""Names of headers and fields, in lower case, whose values are secrets."""

_SHORTEST_SECRET = 16
# Python's own recursion limit is near; real run data nests a few dozen levels.
_DEEPEST = 200


def redact(document: object) -> object:
    """Return a copy of JSON data with auth headers and execution secrets replaced, at any depth.

    Names are compared without case, also in ``{"name": …, "value": …}`` pairs. A secret of 16 characters
    or more is replaced wherever else it stands in the data, for an author may have copied it.
    """
    secrets: set[str] = set()
    _collect(document, secrets)
    return _copy(document, sorted(secrets, key=len, reverse=True), 0)


def _is_hidden(name: object) -> bool:
    return isinstance(name, str) and name.lower() in _HIDDEN


def _collect(document: object, secrets: set[str]) -> None:
    stack = [document]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            hidden = [value for key, value in part.items() if _is_hidden(key)]
            if _is_hidden(part.get("name")):
                hidden.append(part.get("value"))
            secrets.update(text for value in hidden for text in _secret_texts(value))
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)


def _secret_texts(value: object) -> list[str]:
    # Shorter ones ("1", "test") would blank unrelated text everywhere.
    texts = value if isinstance(value, list) else [value]
    return [text for text in texts if isinstance(text, str) and len(text) >= _SHORTEST_SECRET]


def _copy(part: object, secrets: list[str], depth: int) -> object:
    if depth > _DEEPEST:
        return TOO_DEEP
    if isinstance(part, dict):
        hides_value = _is_hidden(part.get("name"))
        return {
            key: REDACTED
            if _is_hidden(key) or (hides_value and key == "value")
            else _copy(value, secrets, depth + 1)
            for key, value in part.items()
        }
    if isinstance(part, list):
        return [_copy(value, secrets, depth + 1) for value in part]
    if isinstance(part, str):
        for secret in secrets:
            part = part.replace(secret, REDACTED)
    return part

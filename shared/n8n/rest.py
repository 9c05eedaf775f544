"""One call of n8n's public REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from shared import json_text
from shared.n8n.apikey import N8nApiKey
from shared.n8n.errors import N8nRefused, N8nUnreachable

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)

Model = TypeVar("Model", bound=BaseModel)
Parameters = Mapping[str, str | int | bool]


class Rest:
    """The public API of one n8n under one key."""

    def __init__(self, base_url: str, api_key: N8nApiKey, http: httpx.AsyncClient) -> None:
        self.base_url = base_url
        self._api_key = api_key
        self._http = http

    async def call(
        self, action: str, method: str, path: str, *, body: object = None, params: Parameters | None = None
    ) -> object:
        """Return n8n's JSON answer; ``action`` completes "n8n refused to …" in errors.

        Raises:
            N8nUnreachable: no usable answer came; a write may or may not have happened.
            N8nRefused: n8n answered with an error status.
        """
        answer = await self._send(method, path, body, params)
        if _is_somebody_elses(answer):
            raise N8nUnreachable(self.base_url, f"the answer, {answer.status_code}, is not n8n's API")
        if answer.status_code >= 300:
            message = self._api_key.hide_in(_words(answer))
            raise N8nRefused(answer.status_code, message, action=action)
        try:
            return json_text.loads(answer.content)
        except orjson.JSONDecodeError:
            # A login page, a proxy's page, or n8n while its database migrates.
            raise N8nUnreachable(self.base_url, "the answer is not n8n's API") from None

    async def _send(self, method: str, path: str, body: object, params: Parameters | None) -> httpx.Response:
        headers = {"X-N8N-API-KEY": self._api_key.reveal(), "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return await self._http.request(
                method,
                f"{self.base_url}/api/v1{path}",
                content=None if body is None else orjson.dumps(body),
                params={key: _parameter(value) for key, value in (params or {}).items()},
                headers=headers,
                timeout=_TIMEOUT,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise N8nUnreachable(self.base_url, _reason(error)) from None


def parse(model: type[Model], document: object, address: str) -> Model:
    """Return n8n's answer as ``model``.

    Raises:
        N8nUnreachable: the answer has another shape, so it is not an n8n we know.
    """
    try:
        return model.model_validate(document)
    except ValidationError:
        # pydantic's message quotes the input, which may hold run data.
        raise N8nUnreachable(address, f"the answer is no {model.__name__}") from None


def _is_somebody_elses(answer: httpx.Response) -> bool:
    """Whether a refusal is none of n8n's API, which explains each in JSON and only crashes without.

    While n8n starts it answers 404 with a page of HTML; so does a proxy with 502 when n8n is down.
    """
    if answer.status_code < 400 or answer.status_code == 500:
        return False
    try:
        json_text.loads(answer.content)
    except orjson.JSONDecodeError:
        return True
    return False


def _words(answer: httpx.Response) -> str:
    try:
        document = json_text.loads(answer.content)
    except orjson.JSONDecodeError:
        return "no explanation"
    message = document.get("message") if isinstance(document, dict) else None
    return message if isinstance(message, str) and message else "no explanation"


def _parameter(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection broke off"

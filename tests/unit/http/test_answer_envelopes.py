"""The four shapes of answers (api §2)."""

from __future__ import annotations

import inspect

import orjson
import pytest

from shared import errors
from shared.errors import InvalidRequest, NotFound, PlatformError
from shared.http.declaration import Envelope
from shared.http.envelopes import failure, preflight, respond, success

EVERY_ERROR = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, PlatformError) and error is not PlatformError
]


def test_a_success_wraps_its_data_or_lies_flat() -> None:
    assert success(Envelope.DATA, {"a": 1}, "r") == {"success": True, "data": {"a": 1}, "requestId": "r"}
    assert success(Envelope.AUTH, {"a": 1}, "r") == {"success": True, "data": {"a": 1}, "requestId": "r"}
    assert success(Envelope.FLAT, {"a": 1}, "r") == {"success": True, "a": 1, "requestId": "r"}
    assert success(Envelope.INGESTION, {"a": 1}, "r") == {"success": True, "a": 1, "requestId": "r"}


def test_a_failure_has_the_shape_its_client_reads() -> None:
    error = NotFound("No such thing.", code="THING_NOT_FOUND")

    assert failure(Envelope.DATA, error, "r") == {
        "success": False,
        "error": {"code": "THING_NOT_FOUND", "message": "No such thing."},
        "requestId": "r",
    }
    assert failure(Envelope.FLAT, error, "r") == {
        "success": False,
        "error": "No such thing.",
        "code": "THING_NOT_FOUND",
        "requestId": "r",
    }
    assert failure(Envelope.INGESTION, error, "r") == {
        "success": False,
        "error": "No such thing.",
        "status": "failed",
        "requestId": "r",
    }


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.__name__)
def test_an_account_flow_always_says_what_to_do_next(error: type[PlatformError]) -> None:
    body = failure(Envelope.AUTH, error("Text."), "r")

    assert isinstance(body["error"], dict)
    assert body["error"]["nextAction"]


def test_details_are_left_out_when_there_are_none() -> None:
    plain = failure(Envelope.DATA, InvalidRequest("Bad."), "r")["error"]
    detailed = failure(Envelope.DATA, InvalidRequest("Bad.", field="a.b", index=2), "r")["error"]

    assert plain == {"code": "INVALID_REQUEST", "message": "Bad."}
    assert isinstance(detailed, dict)
    assert detailed["details"] == {"field": "a.b", "index": 2}


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.__name__)
def test_every_error_has_a_status_and_a_code(error: type[PlatformError]) -> None:
    assert 400 <= error("Text.").status < 600
    assert error("Text.").code.isupper()


def test_an_answer_carries_its_request_id_and_is_never_cached() -> None:
    answer = respond(200, {"a": "ü"}, "r-1", {"Retry-After": "3"})

    assert orjson.loads(bytes(answer.body)) == {"a": "ü"}
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "3"


def test_a_preflight_allows_keys_but_never_cookies() -> None:
    answer = preflight("r-1")

    assert answer.status_code == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["x-request-id"] == "r-1"

"""n8n's failures, in the shapes n8n 2.41 really sends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.executions.classification import classify_execution, classify_report
from shared.executions.details import (
    MAX_MESSAGE,
    MAX_STACK,
    cleaned,
    details,
    from_report,
    trimmed_stack,
)
from shared.executions.errors.explained import ExplainedError
from shared.executions.errors.kinds import ErrorType

API_ERROR = {
    "name": "NodeApiError",
    "node": {"name": "Call", "type": "n8n-nodes-base.httpRequest"},
    "messages": ['404 - "{"message":"not found"}"'],
    "httpCode": "404",
    "message": "The resource you are requesting could not be found",
    "description": "not found",
    "context": {"request": {"uri": "http://x/?api_key=sekret"}},
    "stack": "NodeApiError: The resource\n    at x",
}
REFUSED = {
    "name": "NodeApiError",
    "node": {"name": "Call"},
    "messages": ["connect ECONNREFUSED 127.0.0.1:1"],
    "httpCode": "ECONNREFUSED",
    "message": "The service refused the connection - perhaps it is offline",
}
CODE_ERROR = {
    "name": "WrappedExecutionError",
    "message": "process is not defined [line 1]",
    "description": "ReferenceError",
    "stack": "WrappedExecutionError: process is not defined",
}
STOPPED = {"name": "NodeOperationError", "node": {"name": "Stop"}, "message": "validation of input failed"}


def report(error: object, last: str | None = "Last") -> dict[str, Any]:
    return {
        "execution": {"id": "7", "lastNodeExecuted": last, "mode": "webhook", "error": error},
        "workflow": {"id": "w", "name": "W"},
    }


def run(error: object, last: str | None = "Last", status: str = "error") -> dict[str, Any]:
    return {"id": "7", "status": status, "data": {"resultData": {"error": error, "lastNodeExecuted": last}}}


@pytest.mark.parametrize(
    ("error", "kind", "status", "code", "node"),
    [
        (API_ERROR, "external_api_error", 404, "SERVICE_NOT_FOUND", "Call"),
        (REFUSED, "external_api_error", None, "SERVICE_UNREACHABLE", "Call"),
        (CODE_ERROR, "node_failure", None, "CODE_FAILED", "Last"),
        (STOPPED, "validation_error", None, "VALIDATION_FAILED", "Stop"),
        (
            {"message": "connect ETIMEDOUT 1.2.3.4:443", "httpCode": "ETIMEDOUT"},
            "timeout",
            None,
            "SERVICE_TIMED_OUT",
            "Last",
        ),
        ({"message": "The execution timed out"}, "timeout", None, "RUN_TIMED_OUT", "Last"),
        ({"message": "Gateway time-out", "statusCode": 504}, "timeout", 504, "SERVICE_TIMED_OUT", "Last"),
        ({"message": "socket hang up"}, "external_api_error", None, "SERVICE_UNREACHABLE", "Last"),
        ({"message": "odd", "cause": {"status": 500}}, "external_api_error", 500, "SERVICE_FAILED", "Last"),
        ({"message": "boom", "node": "Named by text"}, "node_failure", None, "NODE_FAILED", "Named by text"),
    ],
)
@pytest.mark.parametrize("shape", ["report", "execution"])
def test_a_failed_run_is_classified_alike_from_both_sources(
    shape: str, error: dict[str, Any], kind: str, status: int | None, code: str | None, node: str
) -> None:
    found = classify_report(report(error)) if shape == "report" else classify_execution(run(error))
    assert (found.type, found.http_status, found.code) == (kind, status, code)
    assert (found.failed_node_name, found.last_executed_node) == (node, "Last")
    assert str(error["message"]) in found.message


def test_a_failed_trigger_has_no_node_and_is_still_told() -> None:
    payload = {"trigger": {"mode": "trigger", "error": {"message": "odd thing"}}, "workflow": {"id": "w"}}
    found = classify_report(payload)
    assert (found.type, found.message, found.code) == (ErrorType.UNKNOWN, "odd thing", "TRIGGER_FAILED")
    refused = classify_report({"trigger": {"error": {"message": "x", "cause": {"message": "ECONNRESET"}}}})
    assert refused.type is ErrorType.EXTERNAL_API_ERROR


@pytest.mark.parametrize(("status", "said"), [("crashed", "n8n stopped"), ("canceled", "cancelled")])
def test_a_run_n8n_dropped_is_unknown_but_explained(status: str, said: str) -> None:
    found = classify_execution(run(None, "Last", status))
    assert found.type is ErrorType.UNKNOWN
    assert said in found.message
    assert found.last_executed_node == "Last"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["execution", "trigger", "error", "message", "node", "name", "data", "resultData", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["execution", "trigger", "data", "status", "error", "errorType"]), JSON)
)
def test_any_json_at_all_yields_a_type_and_a_message(payload: dict[str, object]) -> None:
    for found in (classify_report(payload), classify_execution(payload), from_report(payload)):
        assert found.type in list(ErrorType)
        assert found.message


def test_the_flat_report_of_the_node_is_taken_as_it_is() -> None:
    found = from_report(
        {
            "errorType": "validation_error",
            "errorMessage": "No invoice.",
            "failedNodeName": "Read",
            "lastExecutedNode": "Report",
        }
    )
    assert found.wire() == {
        "type": "validation_error",
        "message": "No invoice.",
        "code": "VALIDATION_FAILED",
        "failedNodeName": "Read",
        "lastExecutedNode": "Report",
    }


def test_the_nested_report_of_old_nodes_is_understood() -> None:
    nested = {"type": "timeout", "message": "Too slow.", "nodeName": "Wait", "code": "SLOW", "stack": "s"}
    found = from_report({"error": nested})
    assert (found.type, found.message, found.code) == (ErrorType.TIMEOUT, "Too slow.", "SLOW")
    assert (found.failed_node_name, found.stack) == ("Wait", "s")
    assert from_report({"error": "just text"}).message == "just text"


def test_a_type_set_by_expression_to_something_else_is_unknown_and_none_is_a_node_failure() -> None:
    assert from_report({"errorType": "custom", "errorMessage": "x"}).type is ErrorType.UNKNOWN
    assert from_report({"errorType": 5, "errorMessage": "x"}).type is ErrorType.UNKNOWN
    assert from_report({"errorMessage": "x"}).type is ErrorType.NODE_FAILURE


def test_messages_and_stacks_are_trimmed_and_say_so() -> None:
    found = details(ErrorType.UNKNOWN, "m" * 100_000, stack="s" * 1_000_000)
    assert len(found.message) == MAX_MESSAGE
    assert found.stack is not None
    assert len(found.stack.encode()) <= MAX_STACK
    assert found.message.endswith("(trimmed)")
    assert found.stack.endswith("(trimmed)")


@given(st.text(max_size=300).map(lambda text: text * 60))
def test_a_stack_never_exceeds_eight_kilobytes_of_utf8(stack: str) -> None:
    kept = trimmed_stack(stack)
    assert kept is None or len(kept.encode()) <= MAX_STACK
    if stack and len(stack.encode("utf-8", "replace")) <= MAX_STACK:
        assert kept is not None
        assert "(trimmed)" not in kept or "(trimmed)" in stack


@pytest.mark.parametrize(
    "text",
    [
        "GET http://x/y?api_key=sekret&b=1 failed",
        "Authorization: Bearer sekret",
        "key ck_sekretsekretsekretsekret",
        "key cko_sekretsekretsekretsekret was refused",
        "whsec_sekretsekret",
    ],
)
def test_keys_and_tokens_do_not_survive_in_what_is_stored(text: str) -> None:
    assert "sekret" not in cleaned(text)
    found = details(ErrorType.UNKNOWN, text, stack=text, code=text, failed_node_name=text)
    assert "sekret" not in str(found.wire())


def test_a_caller_who_polls_sees_neither_stack_nor_internals() -> None:
    found = details(
        ErrorType.TIMEOUT,
        "m",
        code="C",
        failed_node_name="N",
        last_executed_node="L",
        http_status=504,
        stack="s",
    )
    assert ExplainedError.of(found.fields()).wire() == {
        "type": "timeout",
        "message": "m",
        "code": "C",
        "failedNodeName": "N",
        "hint": "Start the run again.",
        "action": "retry",
        "retryable": True,
    }

"""The error table over errors as n8n 2.41 and its nodes really word them, and over any JSON at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.executions.classification import classify_execution, classify_report
from shared.executions.details import from_report
from shared.executions.errors.explained import ExplainedError
from shared.executions.errors.kinds import Action, ErrorType, Evidence
from shared.executions.errors.page import page
from shared.executions.errors.recognise import BY_CODE, class_of, class_of_stated
from shared.executions.errors.shield import shielded
from shared.executions.errors.table import TABLE
from shared.services.control.cancel import CANCELLED

Json = dict[str, Any]


def api(status: int | str | None, message: str, description: str | None = None) -> Json:
    error: Json = {"name": "NodeApiError", "message": message, "node": {"name": "Call"}}
    if status is not None:
        error["httpCode"] = str(status)
    return error | ({"description": description} if description else {})


def node(message: str, name: str = "NodeOperationError", kind: str = "n8n-nodes-base.set") -> Json:
    return {"name": name, "message": message, "node": {"name": "Step", "type": kind}}


TIMED_OUT: Json = {
    "name": "TimeoutExecutionCancelledError",
    "message": "The execution was cancelled because it timed out",
}

CASES: list[tuple[Json, str]] = [
    (api(429, "The service is receiving too many requests from you"), "SERVICE_RATE_LIMITED"),
    (api(429, "429 You exceeded your current quota", "insufficient_quota"), "SERVICE_QUOTA_EXHAUSTED"),
    (api(402, "Payment required - perhaps check your payment details?"), "SERVICE_QUOTA_EXHAUSTED"),
    (api(401, "Authorization failed - please check your credentials"), "CREDENTIAL_REJECTED"),
    (api(400, "Bad request", "invalid_grant"), "CREDENTIAL_REJECTED"),
    (api(403, "Forbidden - perhaps check your credentials?"), "ACCESS_DENIED"),
    (api(404, "The resource you are requesting could not be found"), "SERVICE_NOT_FOUND"),
    (api(422, "Your request is invalid or could not be processed by the service"), "SERVICE_REFUSED"),
    (api(500, "The service was not able to process your request"), "SERVICE_FAILED"),
    (api(504, "Gateway timed out - perhaps try again later?"), "SERVICE_TIMED_OUT"),
    (api("ECONNREFUSED", "The service refused the connection"), "SERVICE_UNREACHABLE"),
    (
        api("ENOTFOUND", "The connection cannot be established, due to an incorrect host"),
        "HOST_NOT_FOUND",
    ),
    (api("CERT_HAS_EXPIRED", "certificate has expired"), "CERTIFICATE_INVALID"),
    (node("Codika execution initialization failed: Not active (INSTANCE_INACTIVE)"), "RUN_NOT_REGISTERED"),
    (api(None, "Something about the service"), "SERVICE_ERROR"),
    ({"name": "AxiosError", "message": "timeout of 3000ms exceeded"}, "SERVICE_TIMED_OUT"),
    (node('Credential with ID "x1" does not exist for type "slackApi".'), "CREDENTIAL_MISSING"),
    (node("Node does not have any credentials set"), "CREDENTIAL_MISSING"),
    (node("Workflow does not exist.", "WorkflowOperationError"), "SUB_WORKFLOW_MISSING"),
    (node("Workflow is not active and cannot be executed."), "SUB_WORKFLOW_MISSING"),
    (
        node("The sub-workflow (a1) cannot be called by this", "SubworkflowOperationError"),
        "SUB_WORKFLOW_MISSING",
    ),
    (node("The workflow has issues and cannot be executed for that reason."), "WORKFLOW_INVALID"),
    (node("Referenced node doesn't exist", "ExpressionError"), "EXPRESSION_FAILED"),
    (node("JSON parameter needs to be valid JSON"), "JSON_INVALID"),
    (node("Unexpected token } in JSON at position 4", "SyntaxError"), "JSON_INVALID"),
    (node("Cannot read properties of undefined (reading 'id') [line 3]", "TypeError"), "CODE_FAILED"),
    (node("No stock", kind="n8n-nodes-base.stopAndError"), "STOPPED_BY_WORKFLOW"),
    (node("The value is odd"), "NODE_FAILED"),
    ({"message": "Workflow did not finish, possible out-of-memory issue"}, "OUT_OF_MEMORY"),
    (TIMED_OUT, "RUN_TIMED_OUT"),
    (node("Validation failed for field a"), "VALIDATION_FAILED"),
    ({"message": "The execution was cancelled because the system is shutting down"}, "N8N_STOPPED"),
    ({"message": "The execution was cancelled manually"}, "RUN_CANCELLED"),
    ({"message": "Nobody knows"}, "UNCLASSIFIED"),
]


@pytest.mark.parametrize(("error", "code"), CASES, ids=[f"{n}-{case[1]}" for n, case in enumerate(CASES)])
def test_an_error_of_n8n_has_its_class_in_both_places_it_is_told(error: Json, code: str) -> None:
    told = classify_report({"execution": {"id": "1", "error": error}})
    kept = classify_execution({"status": "error", "data": {"resultData": {"error": error}}})

    assert (told.code, kept.code) == (code, code)
    assert told.type is BY_CODE[code].type


@pytest.mark.parametrize(("ended", "code"), [("canceled", "RUN_CANCELLED"), ("crashed", "N8N_STOPPED")])
def test_how_n8n_says_a_run_ended_decides_when_there_is_no_error(ended: str, code: str) -> None:
    document = {"status": ended, "data": {"resultData": {"lastNodeExecuted": "Ask"}}}

    assert classify_execution(document).code == code


def test_a_run_that_timed_out_in_n8n_is_not_taken_for_one_that_somebody_cancelled() -> None:
    document = {"status": "canceled", "data": {"resultData": {"error": TIMED_OUT}}}

    assert (classify_execution(document).code, classify_execution(document).type) == (
        "RUN_TIMED_OUT",
        "timeout",
    )


def test_every_class_can_be_told_apart_and_says_what_to_do() -> None:
    assert len({known.code for known in TABLE}) == len(TABLE)
    assert {known.type for known in TABLE} == set(ErrorType)
    for known in TABLE:
        assert known.hint.endswith(".")
        assert known.meaning.endswith(".")
        assert known.code in page()
        # What may simply be started again does not send anybody to the workflow's author.
        assert not (known.retryable and known.action is Action.FIX_WORKFLOW)


def test_every_code_that_the_platform_itself_gives_a_run_is_in_the_table() -> None:
    folder = Path(__file__).resolve().parents[3] / "shared" / "services"
    texts = [path.read_text() for part in ("runs", "control") for path in (folder / part).glob("*.py")]
    given = {code for text in texts for code in re.findall(r'"code": "([A-Z0-9_]+)"', text)}
    refused = {code for text in texts for code in re.findall(r'^        "([A-Z0-9_]+)",$', text, re.M)}

    assert {"NO_REPORT", "WORKFLOW_REMOVED"} <= given
    assert {"WEBHOOK_FORBIDDEN", "PAYLOAD_TOO_LARGE"} <= refused
    assert (given | refused | {CANCELLED}) - BY_CODE.keys() == set()


def test_every_class_that_n8n_can_show_is_reached_by_an_example() -> None:
    shown = {code for _, code in CASES}

    assert {known.code for known in TABLE if known.signs} - shown == set()


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "name",
                    "node",
                    "type",
                    "httpCode",
                    "cause",
                    "status",
                    "execution",
                    "trigger",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["execution", "trigger", "data", "status", "error", "errorType"]), ANY)
)
def test_any_json_at_all_has_a_class_of_the_type_it_is_given(payload: Json) -> None:
    for found in (classify_report(payload), classify_execution(payload)):
        assert BY_CODE[str(found.code)].type is found.type
    reported = ExplainedError.of(from_report(payload).fields())
    assert reported.hint
    assert ExplainedError.of(payload).message


@given(st.text(max_size=60), st.sampled_from(list(ErrorType)))
def test_a_type_that_a_workflow_states_is_never_overruled_by_words(message: str, kind: ErrorType) -> None:
    assert class_of_stated(kind, message).type is kind
    assert class_of(Evidence(text=message)) in TABLE


def test_a_code_of_an_authors_own_has_the_hint_of_its_type() -> None:
    shown = ExplainedError.of({"type": "validation_error", "message": "No", "code": "MY_OWN"})

    assert (shown.code, shown.action) == ("MY_OWN", Action.FIX_INPUT)


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("process is not defined [line 1]", "process is not defined"),
        ("Broken [line 12, for item 3] (SyntaxError)", "Broken (SyntaxError)"),
        ("Unexpected identifier\nconst secretPrompt = 'x'\n      ^^^^", "Unexpected identifier"),
        ("Can't read {{ $json.secretField.x }} here", "Can't read … here"),
        ("No data from $('Secret Node').item.json.a, sorry", "No data from …, sorry"),
        ("Boom at /home/node/.n8n/secret/code.js:12:5", "Boom at"),
        ("const secretPrompt", "const secretPrompt"),
        ("\n\n", "The workflow failed."),
    ],
)
def test_what_another_organization_wrote_is_taken_out_of_messages(message: str, left: str) -> None:
    assert shielded(message) == left

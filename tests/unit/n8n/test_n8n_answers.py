from __future__ import annotations

import pickle

import pytest

from shared.errors import InvalidRequest
from shared.n8n.address import normalize
from shared.n8n.apikey import N8nApiKey
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused, N8nUnreachable
from shared.n8n.executions import N8nExecution
from tests.unit.n8n.scripted_server import Script, answering, closing, scripted

KEY = "key-of-this-n8n-0123456789"


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://n8n.example.com", "https://n8n.example.com"),
        ("https://n8n.example.com/", "https://n8n.example.com"),
        (" http://127.0.0.1:5678/api/v1/ ", "http://127.0.0.1:5678"),
        ("https://example.com/n8n/?a=b#c", "https://example.com/n8n"),
    ],
)
def test_a_base_url_is_brought_to_one_form(given: str, base: str) -> None:
    assert normalize(given) == base


@pytest.mark.parametrize("given", ["", "n8n.example.com", "ftp://a", "https://user:pass@a", "https://"])
def test_what_is_no_plain_web_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequest):
        normalize(given)


@pytest.mark.parametrize("text", ["", "a\nb", "schlüssel"])
def test_an_api_key_that_cannot_stand_in_a_header_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        N8nApiKey(text)
    assert not text or text not in str(refused.value)


def test_an_api_key_is_not_shown_and_not_pickled() -> None:
    key = N8nApiKey(KEY)
    assert KEY not in f"{key} {key!r}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


async def test_the_words_of_n8n_are_passed_on_without_the_key() -> None:
    body = f'{{"message":"the header {KEY} is odd"}}'.encode()
    async with scripted(answering(400, body)) as server, N8nClient(server.url, KEY) as client:
        with pytest.raises(N8nRefused, match="refused to publish the workflow: the header") as refused:
            await client.publish("a")
    assert KEY not in str(refused.value)
    assert (refused.value.n8n_status, refused.value.status) == (400, 502)


@pytest.mark.parametrize(
    "script",
    [
        closing,
        answering(200, b"n8n is starting up. Please wait"),
        answering(200, b"<html>Sign in</html>"),
        answering(200, b'{"unexpected":"shape"}'),
        answering(404, b"<pre>Cannot GET /api/v1/workflows/a</pre>"),
        answering(502, b"<h1>Bad Gateway</h1>"),
    ],
    ids=["broken off", "migrating", "login page", "other shape", "starting", "proxy"],
)
async def test_an_answer_that_is_no_answer_is_unreachable(script: Script) -> None:
    async with scripted(script) as server, N8nClient(server.url, KEY) as client:
        with pytest.raises(N8nUnreachable, match=r"cannot be reached"):
            await client.get_workflow("a")


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_redirected_base_url_does_not_pass_the_check(status: int) -> None:
    script = answering(status, b"", Location="https://elsewhere.invalid/")
    async with scripted(script) as server, N8nClient(server.url, KEY) as client:
        with pytest.raises(N8nRefused):
            await client.check()


async def test_a_page_of_html_is_not_passed_on() -> None:
    async with (
        scripted(answering(500, b"<pre>stack trace</pre>")) as server,
        N8nClient(server.url, KEY) as client,
    ):
        with pytest.raises(N8nRefused, match="no explanation"):
            await client.get_workflow("a")


async def test_ids_cannot_leave_their_place_in_the_path() -> None:
    async with (
        scripted(answering(404, b'{"message":"Not Found"}')) as server,
        N8nClient(server.url, KEY) as client,
    ):
        await client.delete_workflow("../credentials/abc?x=1#y")
        (request,) = server.requests
    assert request.line == "DELETE /api/v1/workflows/..%2Fcredentials%2Fabc%3Fx%3D1%23y HTTP/1.1"


def execution(**more: object) -> N8nExecution:
    return N8nExecution.model_validate(
        {"id": 7, "workflowId": "w", "status": "success", "mode": "webhook", **more}
    )


def named(execution_id: str) -> dict[str, object]:
    """What the platform puts at the top of a body, and anybody anywhere else."""
    return {"executionMetadata": {"executionId": execution_id}}


def began_with(json: object, **nodes: object) -> dict[str, object]:
    """The data of a run whose webhook was called with an item; other nodes come after it."""
    webhook = {"source": [], "data": {"main": [[{"json": json}]]}}
    return {"resultData": {"runData": {"Webhook": [webhook], **nodes}}}


def test_a_run_belongs_to_the_execution_its_body_names() -> None:
    run = execution(data=began_with({"body": named("e1")}))
    assert run.belongs_to("e1")
    assert not run.belongs_to("e")


def test_a_run_that_has_just_begun_belongs_to_the_execution_its_body_names() -> None:
    waiting = {
        "node": {"name": "Webhook"},
        "source": None,
        "data": {"main": [[{"json": {"body": named("e1")}}]]},
    }
    assert execution(data={"executionData": {"nodeExecutionStack": [waiting]}}).belongs_to("e1")


@pytest.mark.parametrize(
    "json",
    [
        {"body": {"parentRun": "e1", "text": "executionMetadata executionId e1"}},
        {"body": {"order": named("e1")}},
        {"body": {"orders": [named("e1")]}},
        {"query": named("e1"), "body": {}},
        {**named("own"), "body": named("e1")},
        {"body": {**named("own"), "body": named("e1")}},
    ],
)
def test_a_run_does_not_belong_to_an_execution_that_its_payload_names(json: object) -> None:
    assert not execution(data=began_with(json)).belongs_to("e1")


def test_a_run_does_not_belong_to_an_execution_that_a_later_node_names() -> None:
    copied = {"source": [{"previousNode": "Webhook"}], "data": {"main": [[{"json": {"body": named("e1")}}]]}}
    assert not execution(data=began_with({"body": {}}, Copy=[copied])).belongs_to("e1")


def test_a_run_of_a_sub_workflow_does_not_belong_to_an_execution_that_its_input_names() -> None:
    assert not execution(mode="integrated", data=began_with({"body": named("e1")})).belongs_to("e1")


def test_what_init_recorded_counts_more_than_any_body() -> None:
    run = execution(customData={"codikaExecutionId": "e2"}, data=began_with({"body": named("e1")}))
    assert run.belongs_to("e2")
    assert not run.belongs_to("e1")


def test_a_run_belongs_to_the_execution_that_init_recorded() -> None:
    assert execution(customData={"codikaExecutionId": "e1"}).belongs_to("e1")

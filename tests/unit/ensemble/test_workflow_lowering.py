import base64
import copy
import json
from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ensemble import Origin, WorkflowBody, content_hash, decode, lower
from shared.errors import InvalidWorkflowJson
from shared.model.configuration import DataIngestion

INSTANCE = "0190a0b0-1111-7222-8333-444455556666"
ORIGIN = Origin(title="Invoices", workflow_name="Main", template_id="main", instance_id=INSTANCE)
OTHER = Origin(title="Invoices", workflow_name="Main", template_id="main", instance_id="other-instance")

WEBHOOK = {"id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "position": [0, 0]}
CALLED = {"id": "2", "name": "Start", "type": "n8n-nodes-base.executeWorkflowTrigger", "position": [0, 0]}


def document(*nodes: object, **more: object) -> dict[str, object]:
    return {"nodes": list(nodes), "connections": {"Webhook": {"main": []}}, **more}


def lowered(given_document: Mapping[str, object], origin: Origin, **more: Any) -> WorkflowBody:
    return lower(given_document, origin, credentials={"c1": "Real"}, **more)


def test_only_what_n8n_accepts_is_sent() -> None:
    given_document = document(
        {**WEBHOOK, "parameters": {"path": "p"}, "color": 4, "issues": {}, "notes": None},
        id="x",
        active=True,
        versionId="v",
        meta={},
        tags=[],
        pinData={},
        staticData={"a": 1},
        name="author's name",
        settings={"executionOrder": "v1", "availableInMCP": True, "binaryMode": "combined"},
    )
    body = lowered(given_document, ORIGIN)
    assert set(body) == {"name", "nodes", "connections", "settings"}
    assert set(body["nodes"][0]) == {"id", "name", "type", "position", "parameters", "webhookId"}
    assert body["settings"] == {
        "executionOrder": "v1",
        "saveDataErrorExecution": "all",
        "saveDataSuccessExecution": "all",
        "callerPolicy": "none",
    }


def test_the_authors_choices_in_settings_are_kept() -> None:
    settings = {"executionOrder": "v0", "saveDataSuccessExecution": "none", "timezone": "Europe/Paris"}
    body = lowered(document(WEBHOOK, settings=settings), ORIGIN)
    assert settings.items() <= body["settings"].items()


def test_a_parent_without_error_workflow_gets_the_organizations_and_a_subworkflow_gets_none() -> None:
    assert lowered(document(WEBHOOK), ORIGIN, error_workflow_id="E")["settings"]["errorWorkflow"] == "E"
    assert "errorWorkflow" not in lowered(document(CALLED), ORIGIN, error_workflow_id="E")["settings"]


def test_a_subworkflow_admits_the_given_callers_only_whatever_the_author_wrote() -> None:
    own = {"callerPolicy": "any", "callerIds": "foreign"}
    known = lowered(document(CALLED, settings=own), ORIGIN, caller_ids=["b", "a"])["settings"]
    assert (known["callerPolicy"], known["callerIds"]) == ("workflowsFromAList", "a,b")
    unknown = lowered(document(CALLED, settings=own), ORIGIN)["settings"]
    assert unknown["callerPolicy"] == "none"
    assert "callerIds" not in unknown


def test_a_webhook_without_an_id_gets_one_that_is_stable_and_differs_between_installations() -> None:
    first, again, other = (
        lowered(document(WEBHOOK), origin)["nodes"][0] for origin in (ORIGIN, ORIGIN, OTHER)
    )
    assert first["webhookId"] == again["webhookId"]
    assert first["webhookId"] != other["webhookId"]


def test_a_literal_webhook_id_is_made_unique_and_one_with_the_instance_in_it_is_kept() -> None:
    literal = {**WEBHOOK, "webhookId": "my-hook"}
    mine, theirs = (lowered(document(literal), origin)["nodes"][0]["webhookId"] for origin in (ORIGIN, OTHER))
    assert len({"my-hook", mine, theirs}) == 3
    bound = {**WEBHOOK, "webhookId": f"{INSTANCE}-telegram"}
    assert lowered(document(bound), ORIGIN)["nodes"][0]["webhookId"] == f"{INSTANCE}-telegram"


def test_two_webhooks_with_the_same_literal_id_do_not_share_it_afterwards() -> None:
    nodes = [{**WEBHOOK, "webhookId": "same"}, {**WEBHOOK, "name": "Second", "webhookId": "same"}]
    first, second = lowered(document(*nodes), ORIGIN)["nodes"]
    assert first["webhookId"] != second["webhookId"]


def test_a_service_trigger_gets_a_webhook_id_and_an_ordinary_node_does_not() -> None:
    telegram = {"name": "T", "type": "n8n-nodes-base.telegramTrigger"}
    schedule = {"name": "S", "type": "n8n-nodes-base.scheduleTrigger"}
    first, second = lowered(document(telegram, schedule), ORIGIN)["nodes"]
    assert "webhookId" in first
    assert "webhookId" not in second


def test_the_two_scaffold_types_become_the_single_node_type() -> None:
    node = {
        "name": "Init",
        "type": "n8n-nodes-codika.codikaInitDataIngestion",
        "parameters": {"namespace": "n"},
    }
    node_body = lowered(document(node), ORIGIN)["nodes"][0]
    assert node_body["type"] == "n8n-nodes-codika.codika"
    assert node_body["parameters"] == {"operation": "initDataIngestion", "namespace": "n"}


def test_a_known_credential_gets_its_real_name_and_nothing_else() -> None:
    stated = {"slackApi": {"id": "c1", "name": "whatever", "__aiGatewayManaged": True}, "other": {"id": "c2"}}
    node = {"name": "N", "type": "n8n-nodes-base.slack", "credentials": stated}
    named = lowered(document(node), ORIGIN)["nodes"][0]["credentials"]
    assert named == {"slackApi": {"id": "c1", "name": "Real"}, "other": {"id": "c2"}}


def test_the_given_document_is_left_untouched_and_not_shared() -> None:
    given_document = document({**WEBHOOK, "parameters": {"a": {"b": 1}}})
    before = copy.deepcopy(given_document)
    body = lowered(given_document, ORIGIN)
    cast(dict[str, dict[str, int]], body["nodes"][0]["parameters"])["a"]["b"] = 2
    assert given_document == before


def test_a_node_that_is_no_object_is_refused_with_the_workflow() -> None:
    with pytest.raises(InvalidWorkflowJson, match="'main'"):
        lowered(document("nonsense"), ORIGIN)


@given(st.text(), st.text(), st.text(min_size=1, max_size=200))
def test_names_fit_n8n_and_end_in_instance_and_marker(title: str, workflow: str, template: str) -> None:
    origin = Origin(title=title, workflow_name=workflow, template_id=template, instance_id=INSTANCE)
    assert 1 <= len(origin.name.encode("utf-16-le", "surrogatepass")) // 2 <= 128
    assert origin.name.endswith(f"[{INSTANCE} {origin.marker}]")


def test_names_read_like_the_use_case_and_differ_between_installations_and_workflows() -> None:
    assert ORIGIN.name.startswith("Invoices / Main [")
    sibling = Origin(title="Invoices", workflow_name="Main", template_id="other", instance_id=INSTANCE)
    assert len({ORIGIN.name, OTHER.name, sibling.name}) == 3


def test_the_content_hash_ignores_key_order_and_sees_every_change() -> None:
    body = lowered(document({**WEBHOOK, "parameters": {"a": 1, "b": 2}}), ORIGIN)
    reordered = lowered(document({**WEBHOOK, "parameters": {"b": 2, "a": 1}}), ORIGIN)
    changed = lowered(document({**WEBHOOK, "parameters": {"a": 1, "b": 3}}), ORIGIN)
    assert content_hash(body) == content_hash(reordered) != content_hash(changed)
    assert len(content_hash(body)) == 64


def test_lowering_is_deterministic_to_the_byte() -> None:
    assert json.dumps(lowered(document(WEBHOOK), ORIGIN)) == json.dumps(lowered(document(WEBHOOK), ORIGIN))


def ingestion(encoded: str) -> DataIngestion:
    return DataIngestion.model_validate(
        {
            "workflowTemplateId": "ingest",
            "workflowName": "I",
            "n8nWorkflowJsonBase64": encoded,
            "webhooks": {"embed": "e", "delete": "d"},
        }
    )


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_decoding_returns_the_files_text_without_a_byte_order_mark(prefix: bytes) -> None:
    assert decode(ingestion(base64.b64encode(prefix + "é {}".encode()).decode())) == "é {}"


@pytest.mark.parametrize("encoded", ["%%%", "abc", base64.b64encode(b"\xff\xfe").decode(), "é"])
def test_what_is_no_base64_or_no_text_is_refused_with_the_workflows_name(encoded: str) -> None:
    with pytest.raises(InvalidWorkflowJson, match="'ingest'"):
        decode(ingestion(encoded), 2)


REPEATED = {"retryOnFail": True, "maxTries": 5, "waitBetweenTries": 3000}


def codika(**given: object) -> dict[str, object]:
    node = {"id": "3", "name": "Report", "type": "n8n-nodes-codika.codika", "position": [0, 0]}
    return {**node, "parameters": given}


@pytest.mark.parametrize(
    "given",
    [
        {"resource": "workflowOutputs", "operation": "submitResult"},
        {"resource": "processManagement", "operation": "submitResult"},
        {"operation": "reportError"},
        {"resource": "workflowOutputs"},
        {"resource": "errorHandling", "errorMessage": "No stock"},
    ],
)
def test_a_report_that_does_not_get_through_is_sent_again(given: dict[str, object]) -> None:
    (node,) = lowered(document(codika(**given)), ORIGIN)["nodes"]
    assert REPEATED.items() <= node.items()


@pytest.mark.parametrize(
    "node",
    [
        codika(resource="initializeExecution", operation="initWorkflow"),
        codika(resource="initializeExecution"),
        codika(resource="fileManagement", operation="uploadFile"),
        codika(resource="workflowOutputs", operation="uploadFile"),
        {**WEBHOOK, "parameters": {"operation": "submitResult"}},
    ],
)
def test_what_would_happen_twice_is_not_sent_again(node: dict[str, object]) -> None:
    (sent,) = lowered(document(node), ORIGIN)["nodes"]
    assert not REPEATED.keys() & sent.keys()


@pytest.mark.parametrize("chosen", [{"retryOnFail": False}, {"retryOnFail": True, "maxTries": 2}])
def test_an_author_decides_whether_a_report_is_sent_again(chosen: dict[str, object]) -> None:
    (node,) = lowered(document({**codika(operation="submitResult"), **chosen}), ORIGIN)["nodes"]
    assert {name: node[name] for name in REPEATED if name in node} == chosen

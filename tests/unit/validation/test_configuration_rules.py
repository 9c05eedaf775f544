import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import InvalidConfiguration, InvalidRequest, InvalidWorkflowJson
from shared.validation.configuration import validate_configuration, validate_data_ingestion
from shared.validation.integrations import validate_custom_integration

BASE = "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}"
PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/run"
FILE = json.dumps(
    {
        "nodes": [
            {"name": "Hook", "type": "n8n-nodes-base.webhook", "parameters": {"path": f"={PATH}"}},
            {"name": "Call", "parameters": {"workflowId": "{{SUBWKFL_sub_LFKWBUS}}", "max": "@@"}},
        ],
        "connections": {},
    }
).replace('"@@"', "{{INSTPARM_MAX_MRAPTSNI}}")
SUB = '{"nodes": [], "connections": {}}'


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def configuration() -> dict[str, Any]:
    return {
        "title": "Invoices",
        "description": "Reads invoices.",
        "workflows": [
            {
                "workflowTemplateId": "main",
                "workflowName": "Main",
                "n8nWorkflowJsonBase64": encoded(FILE),
                "triggers": [
                    {
                        "triggerId": "1",
                        "type": "http",
                        "url": f"{BASE}/webhook/{PATH}",
                        "method": "POST",
                        "inputSchema": [{"type": "string", "key": "a", "label": "A"}],
                    },
                    {
                        "triggerId": "2",
                        "type": "schedule",
                        "cronExpression": "0 9 * * MON-FRI",
                        "timezone": "Europe/Paris",
                        "humanReadable": "on weekdays at nine",
                        "manualTriggerUrl": f"{BASE}/webhook/{PATH}",
                    },
                    {"triggerId": "3", "type": "service_event", "service": "slack", "eventType": "message"},
                ],
            },
            {
                "workflowTemplateId": "sub",
                "workflowName": "Sub",
                "n8nWorkflowJsonBase64": encoded(SUB),
                "triggers": [
                    {
                        "triggerId": "4",
                        "type": "subworkflow",
                        "inputSchema": [{"key": "x", "type": "string"}],
                    },
                    {"triggerId": "5", "type": "data_ingestion", "webhooks": {"embed": "e", "delete": "d"}},
                ],
            },
        ],
        "deploymentInputSchema": [{"type": "number", "key": "MAX", "label": "Max"}],
        "customIntegrations": [
            {
                "id": "cstm_acme",
                "name": "Acme",
                "contextType": "organization",
                "n8nCredentialType": "httpHeaderAuth",
                "n8nCredentialMapping": {"TOKEN": "value"},
                "secretFields": [{"key": "TOKEN", "label": "Token", "type": "password"}],
                "metadataFields": [{"key": "REGION", "label": "Region", "type": "string"}],
            }
        ],
        "integrationUids": ["slack", "cstm_acme"],
    }


def test_a_complete_configuration_passes() -> None:
    parsed = validate_configuration(configuration())
    assert [workflow.workflow_template_id for workflow in parsed.workflows] == ["main", "sub"]


Edit = Callable[[dict[str, Any]], object]


def put(*path: str | int, value: object) -> Edit:
    def edit(raw: dict[str, Any]) -> None:
        target: Any = raw
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = value

    return edit


def drop(*path: str | int) -> Edit:
    def edit(raw: dict[str, Any]) -> None:
        target: Any = raw
        for part in path[:-1]:
            target = target[part]
        del target[path[-1]]

    return edit


MAIN = ("workflows", 0)
HTTP = (*MAIN, "triggers", 0)
CLOCK = (*MAIN, "triggers", 1)
CUSTOM = ("customIntegrations", 0)
FIELD = {"type": "string", "key": "a", "label": "A"}

BROKEN: list[tuple[Edit, str, int | None]] = [
    (drop("title"), "title", None),
    (put("title", value="  "), "title", None),
    (put("description", value=""), "description", None),
    (put("description", value=7), "description", None),
    (put("workflows", value=[]), "workflows", None),
    (drop("workflows"), "workflows", None),
    (put("workflows", value={"a": 1}), "workflows", None),
    (drop(*MAIN, "workflowTemplateId"), "workflows[0].workflowTemplateId", 0),
    (put("workflows", 1, "workflowTemplateId", value="main"), "workflows[1].workflowTemplateId", 1),
    (put(*MAIN, "workflowTemplateId", value="a/b"), "workflows[0].workflowTemplateId", 0),
    (drop("workflows", 1, "workflowName"), "workflows[1].workflowName", 1),
    (put(*MAIN, "triggers", value=[]), "workflows[0].triggers", 0),
    (put(*MAIN, "cost", value=-1), "workflows[0].cost", 0),
    (put(*HTTP, "type", value="carrier_pigeon"), "workflows[0].triggers[0].type", 0),
    (drop(*HTTP, "type"), "workflows[0].triggers[0].type", 0),
    (put(*HTTP, "method", value="PATCH"), "workflows[0].triggers[0].method", 0),
    (put(*HTTP, "url", value=f"https://evil.example/webhook/{PATH}"), "workflows[0].triggers[0].url", 0),
    (put(*HTTP, "url", value=f"{BASE}/webhook/elsewhere"), "workflows[0].triggers[0].url", 0),
    (put(*HTTP, "url", value=f"{BASE}/{PATH}"), "workflows[0].triggers[0].url", 0),
    (drop(*CLOCK, "cronExpression"), "workflows[0].triggers[1].cronExpression", 0),
    (put(*CLOCK, "cronExpression", value="61 * * * *"), "workflows[0].triggers[1].cronExpression", 0),
    (put(*CLOCK, "cronExpression", value="* * * * * *"), "workflows[0].triggers[1].cronExpression", 0),
    (put(*CLOCK, "cronExpression", value="daily"), "workflows[0].triggers[1].cronExpression", 0),
    (drop(*CLOCK, "timezone"), "workflows[0].triggers[1].timezone", 0),
    (put(*CLOCK, "timezone", value="Mars/Base"), "workflows[0].triggers[1].timezone", 0),
    (put(*CLOCK, "timezone", value="../etc/passwd"), "workflows[0].triggers[1].timezone", 0),
    (put(*CLOCK, "timezone", value="Europe"), "workflows[0].triggers[1].timezone", 0),
    (put(*CLOCK, "humanReadable", value=" "), "workflows[0].triggers[1].humanReadable", 0),
    (drop(*CLOCK, "manualTriggerUrl"), "workflows[0].triggers[1].manualTriggerUrl", 0),
    (put(*CLOCK, "manualTriggerUrl", value="x"), "workflows[0].triggers[1].manualTriggerUrl", 0),
    (put(*MAIN, "triggers", 2, "service", value="fax"), "workflows[0].triggers[2].service", 0),
    (
        put("workflows", 1, "triggers", 0, "inputSchema", value=[{"key": "x", "type": "date"}]),
        "workflows[1].triggers[0].inputSchema[0].type",
        1,
    ),
    (
        drop("workflows", 1, "triggers", 1, "webhooks", "delete"),
        "workflows[1].triggers[1].webhooks.delete",
        1,
    ),
    (
        put("workflows", 1, "triggers", 1, "webhooks", "embed", value=""),
        "workflows[1].triggers[1].webhooks.embed",
        1,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "colour"}]),
        "workflows[0].triggers[0].inputSchema[0].type",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "select"}]),
        "workflows[0].triggers[0].inputSchema[0].options",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "select", "options": []}]),
        "workflows[0].triggers[0].inputSchema[0].options",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "array"}]),
        "workflows[0].triggers[0].inputSchema[0].itemField",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "array", "itemField": {"type": "multiselect"}}]),
        "workflows[0].triggers[0].inputSchema[0].itemField.type",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[FIELD, {**FIELD}]),
        "workflows[0].triggers[0].inputSchema[1].key",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[FIELD, {"type": "section", "title": "S", "inputSchema": [FIELD]}]),
        "workflows[0].triggers[0].inputSchema[1].key",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "type": "object", "schema": [FIELD, FIELD]}]),
        "workflows[0].triggers[0].inputSchema[0].schema[1].key",
        0,
    ),
    (
        put(*HTTP, "inputSchema", value=[{**FIELD, "regex": "("}]),
        "workflows[0].triggers[0].inputSchema[0].regex",
        0,
    ),
    (
        put(*MAIN, "outputSchema", value=[{**FIELD, "type": "objectArray"}]),
        "workflows[0].outputSchema[0].itemSchema",
        0,
    ),
    (
        put("deploymentInputSchema", value=[{**FIELD, "type": "file"}]),
        "deploymentInputSchema[0].type",
        0,
    ),
    (
        put(
            "deploymentInputSchema",
            value=[{"type": "section", "title": "S", "inputSchema": [{**FIELD, "type": "file"}]}],
        ),
        "deploymentInputSchema[0].inputSchema[0].type",
        0,
    ),
    (put("processType", value="shared"), "processType", None),
    (put(*CUSTOM, "id", value="acme"), "customIntegrations[0].id", 0),
    (put(*CUSTOM, "contextType", value="planet"), "customIntegrations[0].contextType", 0),
    (put(*CUSTOM, "n8nCredentialMapping", value={}), "customIntegrations[0].n8nCredentialMapping", 0),
    (
        put(*CUSTOM, "n8nCredentialMapping", value={"OTHER": "value"}),
        "customIntegrations[0].n8nCredentialMapping.OTHER",
        0,
    ),
    (put(*CUSTOM, "secretFields", 0, "key", value="token"), "customIntegrations[0].secretFields[0].key", 0),
    (
        put(*CUSTOM, "metadataFields", 0, "key", value="TOKEN"),
        "customIntegrations[0].metadataFields[0].key",
        0,
    ),
    (put("integrationUids", value=["cstm_other"]), "integrationUids", None),
    (put(*MAIN, "integrationUids", value=["cstm_other"]), "workflows[0].integrationUids", 0),
]


@pytest.mark.parametrize(("edit", "field", "index"), BROKEN, ids=[row[1] for row in BROKEN])
def test_a_broken_rule_is_refused_with_field_reason_and_index(
    edit: Edit, field: str, index: int | None
) -> None:
    raw = configuration()
    edit(raw)
    with pytest.raises(InvalidConfiguration) as caught:
        validate_configuration(raw)
    assert caught.value.details["field"] == field
    assert caught.value.details["reason"]
    assert caught.value.details.get("index") == index
    assert field in caught.value.message


@pytest.mark.parametrize("raw", [None, [], "text", 5, {}])
def test_what_is_no_configuration_at_all_is_refused(raw: object) -> None:
    with pytest.raises(InvalidConfiguration):
        validate_configuration(raw)


@pytest.mark.parametrize(
    "file",
    ["%%%", encoded("not json"), encoded("[]"), encoded('{"nodes": []}'), encoded('{"connections": {}}')],
)
def test_a_workflow_file_that_is_none_has_a_code_of_its_own(file: str) -> None:
    raw = configuration()
    raw["workflows"][1]["n8nWorkflowJsonBase64"] = file
    with pytest.raises(InvalidWorkflowJson) as caught:
        validate_configuration(raw)
    assert caught.value.code == "INVALID_WORKFLOW_JSON"
    assert caught.value.details["index"] == 1
    assert "'sub'" in caught.value.message


def test_all_problems_are_named_in_one_message() -> None:
    raw = configuration()
    raw["workflows"][0]["triggers"][1]["cronExpression"] = "x"
    raw["workflows"][0]["triggers"][1]["timezone"] = "x"
    with pytest.raises(InvalidConfiguration) as caught:
        validate_configuration(raw)
    assert "cronExpression" in caught.value.message
    assert "timezone" in caught.value.message


def test_an_unknown_subworkflow_and_a_cycle_are_refused() -> None:
    raw = configuration()
    raw["workflows"][1]["workflowTemplateId"] = "renamed"
    with pytest.raises(InvalidConfiguration, match="unknown sub-workflow"):
        validate_configuration(raw)
    raw = configuration()
    back = SUB.replace("[]", '["{{SUBWKFL_main_LFKWBUS}}"]')
    raw["workflows"][1]["n8nWorkflowJsonBase64"] = encoded(back)
    with pytest.raises(InvalidConfiguration, match="→"):
        validate_configuration(raw)


def test_a_schema_nested_without_end_is_refused_and_not_followed() -> None:
    item: dict[str, Any] = dict(FIELD)
    for _ in range(40):
        item = {"type": "object", "key": "k", "label": "L", "schema": [item]}
    raw = configuration()
    raw["workflows"][0]["outputSchema"] = [item]
    with pytest.raises(InvalidConfiguration, match="nested more than"):
        validate_configuration(raw)
    for _ in range(2000):
        item = {"type": "object", "key": "k", "label": "L", "schema": [item]}
    raw["workflows"][0]["outputSchema"] = [item]
    with pytest.raises(InvalidConfiguration):
        validate_configuration(raw)


def test_an_error_never_quotes_a_secret_of_the_configuration() -> None:
    raw = configuration()
    raw["workflows"][0]["triggers"][0] |= {"authToken": ["s3cret"], "authMethod": "s3cret"}
    with pytest.raises(InvalidRequest) as caught:
        validate_configuration(raw)
    assert "s3cret" not in str(caught.value) + str(caught.value.details)


def test_the_given_configuration_is_not_changed() -> None:
    raw = configuration()
    before = copy.deepcopy(raw)
    validate_configuration(raw)
    assert raw == before


INGESTION = {
    "workflowTemplateId": "ingest",
    "workflowName": "Ingest",
    "n8nWorkflowJsonBase64": encoded(SUB),
    "webhooks": {"embed": "p/embed", "delete": "p/embed-delete"},
}


def test_a_process_level_ingestion_needs_no_purpose_and_its_file_is_checked() -> None:
    assert validate_data_ingestion(INGESTION).purpose == ""
    with pytest.raises(InvalidWorkflowJson) as caught:
        validate_data_ingestion({**INGESTION, "n8nWorkflowJsonBase64": encoded("no")})
    assert caught.value.details["field"] == "n8nWorkflowJsonBase64"
    with pytest.raises(InvalidConfiguration, match=r"webhooks\.delete"):
        validate_data_ingestion({**INGESTION, "webhooks": {"embed": "e", "delete": " "}})


def test_a_custom_integration_can_be_checked_by_itself() -> None:
    raw = configuration()["customIntegrations"][0]
    assert validate_custom_integration(raw).id == "cstm_acme"
    unmapped = {**raw, "n8nCredentialType": "none", "n8nCredentialMapping": {}}
    assert validate_custom_integration(unmapped).n8n_credential_mapping == {}
    with pytest.raises(InvalidConfiguration) as caught:
        validate_custom_integration({**raw, "id": "cstm_UPPER"})
    assert caught.value.details["field"] == "id"

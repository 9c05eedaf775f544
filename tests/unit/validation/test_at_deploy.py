"""What deploying refuses of workflows, and what it corrects by itself (decision 0032)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.ensemble.lowering import lower
from shared.ensemble.naming import Origin
from shared.errors import InvalidConfiguration
from shared.validation.at_deploy import MOST_TOLD, refuse_findings
from shared.validation.engine.check import check_workflow
from shared.validation.engine.examples import ERROR_WORKFLOW, INIT, SUBMIT, chain, parent, webhook
from shared.validation.engine.finding import Severity
from shared.validation.engine.rule import Layer
from shared.validation.engine.selection import Selection
from shared.validation.rules.workflow_rules import WORKFLOW_RULES

VALID = parent()
MUST = [rule for rule in WORKFLOW_RULES if rule.severity is Severity.MUST and not rule.excluded]
ORIGIN = Origin("Orders", "Main", "main", "3f1c")


def refusal(texts: dict[str, str]) -> InvalidConfiguration:
    with pytest.raises(InvalidConfiguration) as raised:
        refuse_findings(texts)
    return raised.value


def musts(text: str) -> list[str]:
    return [found.rule for found in check_workflow(text, "w.json") if found.severity is Severity.MUST]


def test_valid_workflows_pass() -> None:
    refuse_findings({"one": VALID, "two": VALID})


@pytest.mark.parametrize("rule", MUST, ids=lambda rule: str(rule.id))
def test_every_bad_example_is_refused_unless_deploying_corrects_it(rule: Any) -> None:
    texts = list(rule.bad().values())
    corrected = all(
        found.corrected
        for text in texts
        for found in check_workflow(text, "w.json", Selection(include=(rule.id,)))
    )
    if corrected:
        assert rule.id in ("WORKFLOW-SANITIZATION", "WEBHOOK-ID")
        return

    error = refusal({f"w{index}": text for index, text in enumerate(texts)})

    details: dict[str, Any] = dict(error.details)
    assert rule.id in {finding["rule"] for finding in details["findings"]}
    assert {finding["severity"] for finding in details["findings"]} == {"must"}


def test_the_first_finding_is_told_where_clients_look_and_all_of_them_in_the_details() -> None:
    without_init = chain(webhook(), SUBMIT)

    error = refusal({"fine": VALID, "orders": without_init})

    details: dict[str, Any] = dict(error.details)
    assert details["field"] == "workflows[1].n8nWorkflowJsonBase64"
    assert details["index"] == 1
    (finding,) = details["findings"]
    assert (finding["rule"], finding["path"]) == ("CODIKA-INIT", "workflows/orders.json")
    assert details["reason"] == finding["message"]
    assert "workflows/orders.json" in str(error)
    assert "CODIKA-INIT" in str(error)


def test_of_many_findings_a_hundred_are_told_and_all_are_counted() -> None:
    unsecured = [webhook(f"Hook {n}", credentials={}) for n in range(150)]

    details: dict[str, Any] = dict(refusal({"many": chain(*unsecured, INIT, SUBMIT)}).details)

    assert len(details["findings"]) == MOST_TOLD
    assert details["findingCount"] >= 150


@pytest.mark.parametrize(
    "change",
    [
        {"settings": None},
        {"settings": {}},
        {"id": "x", "versionId": "y", "meta": {}, "active": True, "tags": [], "pinData": {}},
    ],
    ids=["no settings", "empty settings", "an export"],
)
def test_what_deploying_corrects_is_found_by_verify_and_not_in_what_is_sent_to_n8n(
    change: dict[str, Any],
) -> None:
    document = {**json.loads(VALID), **change}
    text = json.dumps({name: value for name, value in document.items() if value is not None})
    assert musts(text)

    refuse_findings({"w": text})

    body = lower(json.loads(text), ORIGIN, credentials={}, error_workflow_id="errors")
    assert not set(body) & {"id", "versionId", "meta", "active", "tags", "pinData"}
    assert body["settings"]["executionOrder"] == "v1"
    assert body["settings"]["errorWorkflow"] in ("errors", ERROR_WORKFLOW)


def test_a_setting_that_is_there_and_wrong_is_refused() -> None:
    document = json.loads(VALID)
    document["settings"]["executionOrder"] = "v0"

    details: dict[str, Any] = dict(refusal({"w": json.dumps(document)}).details)

    assert [finding["rule"] for finding in details["findings"]] == ["WORKFLOW-SETTINGS"]


def test_rules_about_folders_are_no_part_of_it() -> None:
    assert all(rule.layer is not Layer.FOLDER for rule in MUST)


def test_nodes_that_old_scaffolds_name_by_their_operation_are_what_they_stand_for() -> None:
    begins = {**INIT, "type": "n8n-nodes-codika.codikaInitDataIngestion", "parameters": {}}
    ends = {**SUBMIT, "type": "n8n-nodes-codika.codikaIngestionCallback", "parameters": {}}

    refuse_findings({"embed": chain(webhook(), begins, ends)})

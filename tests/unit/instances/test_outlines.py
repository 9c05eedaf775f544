"""What of a use case is shown to those who use it (api §5.19)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.configuration import Configuration
from shared.model.outline import LONGEST_KEPT, Outline, outline_of

URL = "https://n8n.example/webhook/a-secret-path"
INPUT = [{"key": "email", "type": "string", "label": "E-mail", "required": True}]


def shown(trigger: dict[str, object]) -> dict[str, Any]:
    workflow = {
        "workflowTemplateId": "main",
        "workflowName": "Main",
        "triggers": [{"triggerId": "t", "title": "Start", **trigger}],
        "n8nWorkflowJsonBase64": "e30=",
    }
    document = {"title": "T", "description": "D", "workflows": [workflow]}
    (outline,) = outline_of(Configuration.model_validate(document)).workflows
    (summary,) = outline.triggers
    return dict(summary)


@pytest.mark.parametrize(
    ("trigger", "summary"),
    [
        (
            {"type": "http", "url": URL, "method": "PUT", "authMethod": "bearer", "authToken": "secret"},
            {"type": "http", "method": "PUT"},
        ),
        (
            {
                "type": "schedule",
                "cronExpression": "0 3 * * *",
                "timezone": "Europe/Zurich",
                "humanReadable": "Every night",
                "manualTriggerUrl": URL,
            },
            {"type": "schedule", "cronExpression": "0 3 * * *", "timezone": "Europe/Zurich"},
        ),
        (
            {"type": "service_event", "service": "slack", "eventType": "message"},
            {"type": "service_event", "service": "slack", "eventType": "message"},
        ),
        (
            {"type": "subworkflow", "inputSchema": [{"key": "a", "type": "string"}], "calledBy": ["x"]},
            {"type": "subworkflow", "inputSchema": [{"key": "a", "type": "string"}]},
        ),
        (
            {"type": "data_ingestion", "webhooks": {"embed": URL, "delete": URL}, "cost": 1},
            {"type": "data_ingestion"},
        ),
    ],
)
def test_a_trigger_is_summed_up_without_urls_and_tokens(
    trigger: dict[str, object], summary: dict[str, object]
) -> None:
    assert shown(trigger) == summary


def test_an_http_trigger_shows_what_it_takes() -> None:
    summary = shown({"type": "http", "url": URL, "method": "POST", "inputSchema": INPUT})
    (field,) = summary["inputSchema"]
    assert field | INPUT[0] == field


def test_an_outline_is_kept_with_a_deployment_unless_it_is_long() -> None:
    short, long = Outline(parameters=["A"]), Outline(parameters=["x" * LONGEST_KEPT])

    kept = short.kept()

    assert kept is not None
    assert Outline.model_validate_json(kept) == short
    assert long.kept() is None

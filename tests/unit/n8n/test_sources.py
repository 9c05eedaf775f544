"""A record of a run without the workflow that ran."""

from __future__ import annotations

from pydantic import JsonValue

from shared.n8n.sources import without_sources


def test_nodes_keep_what_names_them_and_data_stays() -> None:
    node: JsonValue = {
        "id": "1",
        "name": "Think",
        "type": "code",
        "typeVersion": 2,
        "parameters": {"jsCode": "secret"},
    }
    record: JsonValue = {
        "id": "7",
        "workflowData": {"nodes": [node]},
        "data": {
            "resultData": {
                "pinData": {"Think": ["secret"]},
                "error": {
                    "message": "It broke",
                    "node": node,
                    "stack": "secret",
                    "cause": {"code": "secret"},
                },
                "runData": {"Think": [{"data": {"main": [[{"json": {"type": "a", "parameters": 5}}]]}}]},
            }
        },
    }

    shown = without_sources(record)

    assert "secret" not in str(shown)
    assert "jsCode" not in str(shown)
    assert shown == {
        "id": "7",
        "data": {
            "resultData": {
                "error": {
                    "message": "It broke",
                    "node": {"id": "1", "name": "Think", "type": "code", "typeVersion": 2},
                },
                "runData": {"Think": [{"data": {"main": [[{"json": {"type": "a", "parameters": 5}}]]}}]},
            }
        },
    }

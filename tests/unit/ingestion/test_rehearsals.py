"""What n8n runs beside the old workflow (decision 0011)."""

from __future__ import annotations

from typing import Any

from shared.n8n.liveness import marker, marker_node
from shared.n8n.workflows import WorkflowBody
from shared.services.ingestion.bodies import Prepared, rehearsed


def _node(name: str, kind: str, **parameters: object) -> dict[str, Any]:
    return {"name": name, "type": kind, "parameters": parameters}


def _prepared() -> Prepared:
    nodes = [
        _node("Embed", "n8n-nodes-base.webhook", path="p/embed"),
        _node("Init", "n8n-nodes-codika.codika", operation="initDataIngestion"),
        marker_node("p/live/di", "c", "C"),
    ]
    return Prepared(WorkflowBody(name="x", nodes=nodes, connections={"Embed": {}}), marker("p/live/di"))


def test_a_rehearsal_has_the_marker_as_its_only_webhook_at_an_address_of_its_own() -> None:
    rehearsal = rehearsed(_prepared())

    enabled = [n for n in rehearsal.body.nodes if n["type"].endswith(".webhook") and not n.get("disabled")]  # type: ignore[attr-defined]  # nodes are JSON
    assert [node["parameters"]["path"] for node in enabled] == ["p/live/di-rehearsal"]  # type: ignore[index]  # nodes are JSON
    assert rehearsal.marker == marker("p/live/di-rehearsal")


def test_a_rehearsal_keeps_everything_else_and_changes_nothing_of_the_original() -> None:
    prepared = _prepared()

    rehearsal = rehearsed(prepared)

    assert rehearsal.body.nodes[1] == prepared.body.nodes[1]
    assert rehearsal.body.connections == prepared.body.connections
    assert "disabled" not in prepared.body.nodes[0]
    assert prepared == _prepared()

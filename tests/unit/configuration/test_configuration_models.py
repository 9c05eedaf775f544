import pytest
from pydantic import TypeAdapter, ValidationError

from shared.model.configuration import Configuration, DeploymentItem, FormItem, Workflow, fields_of
from shared.model.configuration.fields import (
    ArrayField,
    MultiChoiceField,
    NumberField,
    ObjectArrayField,
    ObjectField,
    Section,
)
from shared.model.configuration.triggers import HttpTrigger, SubworkflowTrigger

ITEMS = TypeAdapter(list[FormItem])
SUBWORKFLOW = {"type": "subworkflow", "triggerId": "t"}
WORKFLOW = {
    "workflowTemplateId": "main",
    "workflowName": "Main",
    "triggers": [SUBWORKFLOW],
    "n8nWorkflowJsonBase64": "e30=",
}
MINIMAL = {"title": "T", "description": "D", "workflows": [WORKFLOW]}


def test_what_the_documentation_omits_has_the_documented_defaults() -> None:
    configuration = Configuration.model_validate(MINIMAL)
    assert configuration.subtitle == ""
    assert configuration.process_deployment_markdown == ""
    assert configuration.tags == []
    assert configuration.process_type == "personal"
    (workflow,) = configuration.workflows
    assert workflow.workflow_id == "main"
    assert workflow.knowledge_base_access.process_doc_tags == []
    assert (workflow.cost, workflow.workflow_category) == (0, "user_facing")


def test_null_counts_as_absent_everywhere() -> None:
    nulls = {"subtitle": None, "tags": None, "integrationUids": None, "agent": None, "processType": None}
    workflow = {**WORKFLOW, "outputSchema": None, "knowledgeBaseAccess": None, "workflowId": None}
    with_nulls = Configuration.model_validate({**MINIMAL, **nulls, "workflows": [workflow]})
    assert with_nulls == Configuration.model_validate(MINIMAL)


def test_unknown_properties_are_ignored_at_every_level() -> None:
    workflow = {**WORKFLOW, "future": 1, "triggers": [{**SUBWORKFLOW, "future": 1}]}
    assert Configuration.model_validate({**MINIMAL, "future": 1, "workflows": [workflow]}) == (
        Configuration.model_validate(MINIMAL)
    )


def test_the_required_integrations_are_the_union_over_the_workflows_and_the_custom_ones() -> None:
    custom = {
        "id": "cstm_acme",
        "name": "Acme",
        "contextType": "organization",
        "n8nCredentialType": "none",
        "secretFields": [],
    }
    workflows = [
        {**WORKFLOW, "integrationUids": ["slack", "openai"]},
        {**WORKFLOW, "integrationUids": ["slack"]},
    ]
    raw = {**MINIMAL, "workflows": workflows, "customIntegrations": [custom]}
    assert Configuration.model_validate(raw).required_integrations() == ["slack", "openai", "cstm_acme"]
    stated = Configuration.model_validate({**raw, "integrationUids": ["notion"]})
    assert stated.required_integrations() == ["notion", "cstm_acme"]


def test_the_thirteen_kinds_of_items_are_read_and_written_back_alike() -> None:
    named = {"key": "k", "label": "L", "required": False}
    member = {**named, "type": "string"}
    items: list[dict[str, object]] = [
        {**named, "type": "string", "minLength": 1, "regex": "^a$"},
        {**named, "type": "text", "rows": 3},
        {**named, "type": "number", "numberType": "integer", "min": 1, "max": 9},
        {**named, "type": "boolean", "enabledLabel": "on"},
        {**named, "type": "date", "minDate": "2026-01-01"},
        {**named, "type": "select", "options": [{"value": "a", "label": "A"}]},
        {**named, "type": "radio", "options": [{"value": 1, "label": "One"}]},
        {**named, "type": "multiselect", "options": [], "minSelections": 1},
        {**named, "type": "file", "maxSize": 5, "allowedMimeTypes": ["image/*"]},
        {**named, "type": "array", "itemField": {"type": "number"}, "minItems": 1},
        {**named, "type": "object", "schema": [member]},
        {**named, "type": "objectArray", "itemSchema": [member], "maxItems": 2},
        {"type": "section", "title": "S", "inputSchema": [member]},
    ]
    assert [item.fields() for item in ITEMS.validate_python(items)] == items


def test_older_spellings_of_schemas_mean_the_same() -> None:
    named = {"key": "k", "label": "L"}
    member = {"key": "m", "label": "M", "type": "number", "numberType": "float"}
    parsed = ITEMS.validate_python(
        [
            {**named, "type": "object", "fields": [member]},
            {**named, "type": "objectArray", "fields": [member]},
            {**named, "type": "multiselect", "options": [], "minItems": 1, "maxItems": 2},
        ]
    )
    thing, things, choices = parsed
    assert isinstance(thing, ObjectField)
    assert isinstance(things, ObjectArrayField)
    assert isinstance(choices, MultiChoiceField)
    assert (choices.min_selections, choices.max_selections) == (1, 2)
    for schema in (thing.members, things.members):
        (number,) = schema
        assert isinstance(number, NumberField)
        assert number.number_type == "double"


def test_a_deployment_array_may_leave_its_items_undeclared() -> None:
    (item,) = TypeAdapter(list[DeploymentItem]).validate_python([{"key": "K", "label": "L", "type": "array"}])
    assert isinstance(item, ArrayField)
    assert item.item_field is None


def test_sections_open_into_the_level_they_stand_on() -> None:
    leaf = {"key": "b", "label": "B", "type": "string"}
    inner = {"type": "section", "title": "Inner", "inputSchema": [leaf]}
    items = ITEMS.validate_python(
        [
            {"key": "a", "label": "A", "type": "string"},
            {"type": "section", "title": "S", "inputSchema": [inner]},
        ]
    )
    assert isinstance(items[1], Section)
    assert [field.key for field in fields_of(items)] == ["a", "b"]


def test_a_subworkflow_input_may_be_called_name_or_key() -> None:
    trigger = SubworkflowTrigger.model_validate(
        {**SUBWORKFLOW, "inputSchema": [{"name": "a", "type": "string"}, {"key": "b", "type": "array"}]}
    )
    assert [item.key for item in trigger.input_schema] == ["a", "b"]


def test_a_legacy_trigger_token_is_neither_shown_nor_written() -> None:
    trigger = HttpTrigger.model_validate(
        {"type": "http", "triggerId": "t", "url": "u", "method": "POST", "authToken": "s3cret"}
    )
    assert trigger.auth_token == "s3cret"
    assert "s3cret" not in repr(trigger)
    assert "s3cret" not in str(trigger.fields())
    assert trigger.strict_input


@pytest.mark.parametrize("cost", [-1, "5", True, float("nan"), float("inf")])
def test_a_cost_is_a_finite_number_of_credits_and_never_negative(cost: object) -> None:
    with pytest.raises(ValidationError):
        Workflow.model_validate({**WORKFLOW, "cost": cost})


def test_a_fractional_cost_is_kept() -> None:
    assert Workflow.model_validate({**WORKFLOW, "cost": 0.02}).cost == 0.02

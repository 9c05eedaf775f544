"""What the platform checks before it calls n8n, applied to the examples with their own defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.ensemble import Context, Origin, WorkflowBody, decode, lower, order, references, violations
from shared.errors import InvalidPayload
from shared.model.configuration import Configuration, HttpTrigger, Workflow, fields_of
from shared.placeholders import Values, resolve_workflow
from shared.validation.configuration import validate_configuration
from shared.validation.parameters import coerce_parameters, effective_parameters, missing_parameters
from shared.validation.payload import validate_payload
from shared.validation.skills import validate_skills
from tests.e2e.examples.use_case import UseCase, load

PROCESS, INSTANCE, ERRORS = "process01", "instance01", "errorWorkflow01"
CREDENTIALS = {"credential01": "Webhook key"}


async def test_a_trigger_gets_a_new_id_each_time_the_configuration_is_loaded(node: Path) -> None:
    def ids(use_case: UseCase) -> set[str]:
        workflows = validate_configuration(use_case.configuration).workflows
        return {trigger.trigger_id for workflow in workflows for trigger in workflow.triggers}

    first, second = ids(await load(node, "order-desk")), ids(await load(node, "order-desk"))

    assert len(first) == len(second) == 5
    assert not first & second


def test_every_triggerable_workflow_has_a_skill(example: UseCase) -> None:
    workflows = validate_configuration(example.configuration).workflows
    skills = validate_skills(example.skills(), [workflow.workflow_template_id for workflow in workflows])

    assert {skill.workflow_template_id for skill in skills} == {
        workflow.workflow_template_id
        for workflow in workflows
        if any(trigger.type in ("http", "schedule") for trigger in workflow.triggers)
    }


def test_downloading_the_skills_into_the_folder_overwrites_them(example: UseCase) -> None:
    assert {skill["relativePath"] for skill in example.skills()} == {
        f"skills/{skill['name']}/SKILL.md" for skill in example.skills()
    }


def test_the_default_parameters_fit_the_installation_form(example: UseCase) -> None:
    configuration = validate_configuration(example.configuration)
    schema, defaults = configuration.deployment_input_schema, configuration.default_deployment_parameters

    assert coerce_parameters(schema, defaults) == defaults
    assert {field.key for field in fields_of(schema)} == set(defaults)
    assert missing_parameters(schema, effective_parameters(schema, defaults, {})) == []


def test_every_placeholder_resolves_and_no_workflow_leaves_its_installation(example: UseCase) -> None:
    configuration = validate_configuration(example.configuration)
    bodies = resolved(configuration)
    context = Context(
        process_id=PROCESS,
        instance_id=INSTANCE,
        credentials=CREDENTIALS,
        workflow_ids=frozenset(n8n_ids(configuration).values()),
        error_workflow_id=ERRORS,
    )

    assert violations(bodies, context) == []
    assert len(bodies) == len(configuration.workflows)


def test_parameters_with_quotes_reach_a_value_a_code_node_and_an_expression(order_desk: UseCase) -> None:
    bodies = resolved(validate_configuration(order_desk.configuration))

    blocked = assignment(bodies["take-order"], "Read Order", "blocked")
    shop = assignment(bodies["daily-report"], "Load Shop", "shop")
    products = assignment(bodies["check-stock"], "Load Stock", "products")

    assert "['Mallory','Trudy O\\'Hara']" in str(blocked)
    assert shop == 'Corner "Tea & Coffee" Shop'
    assert isinstance(products, list)
    assert products[0] == {"sku": "tea", "name": "Assam tea, 500 g", "price": 12.5, "stock": 120}
    assert "const hazardous = ['poison'];" in str(parameters(bodies["take-order"], "Reserve Stock")["jsCode"])


@pytest.mark.parametrize("name", ["ok", "fails", "blocked", "scarce", "shortage"])
def test_sample_orders_fit_the_input_form(order_desk: UseCase, name: str) -> None:
    validate_payload(order_trigger(order_desk).input_schema or [], order_desk.payload(name))


def test_an_order_of_nothing_is_refused_by_the_name_of_its_field(order_desk: UseCase) -> None:
    with pytest.raises(InvalidPayload, match=r"items\[0\]\.quantity"):
        validate_payload(order_trigger(order_desk).input_schema or [], order_desk.payload("refused"))


def n8n_ids(configuration: Configuration) -> dict[str, str]:
    names = (workflow.workflow_template_id for workflow in configuration.workflows)
    return {name: f"n8nId{number}" for number, name in enumerate(names)}


def resolved(configuration: Configuration) -> dict[str, WorkflowBody]:
    texts = {workflow.workflow_template_id: decode(workflow) for workflow in configuration.workflows}
    values = Values(
        process={"PROCESS_ID": PROCESS},
        installation={"PROCESS_INSTANCE_UID": INSTANCE, "USER_ID": "user01", "ORGANIZATION_ID": "org01"},
        organization={
            "N8N_BASE_URL": "https://n8n.example",
            "ERROR_WORKFLOW_ID": ERRORS,
            "WEBHOOK_AUTH_CRED_ID": "credential01",
            "WEBHOOK_AUTH_CRED_NAME": "Webhook key",
        },
        member_secrets={"EXECUTION_AUTH": "memberSecret01"},
        parameters=configuration.default_deployment_parameters,
        parameter_schema=configuration.deployment_input_schema,
        subworkflows=n8n_ids(configuration),
    )
    levels = order({name: references(text) for name, text in texts.items()})
    assert len(levels) == 2, "sub-workflows come before the workflows that call them"
    workflows = {workflow.workflow_template_id: workflow for workflow in configuration.workflows}
    return {name: body(workflows[name], texts, values) for level in levels for name in level}


def body(workflow: Workflow, texts: Mapping[str, str], values: Values) -> WorkflowBody:
    name = workflow.workflow_template_id
    document, resolution = resolve_workflow(texts[name], values, name)
    assert document is not None, resolution.problems
    callers = [values.subworkflows[other] for other, text in texts.items() if name in references(text)]
    origin = Origin("Example", workflow.workflow_name, name, INSTANCE)
    return lower(document, origin, credentials=resolution.credentials, caller_ids=callers)


def order_trigger(use_case: UseCase) -> HttpTrigger:
    trigger = validate_configuration(use_case.configuration).workflows[0].triggers[0]
    assert isinstance(trigger, HttpTrigger)
    return trigger


def parameters(workflow: WorkflowBody, node: str) -> dict[str, object]:
    found = next(item for item in workflow["nodes"] if item["name"] == node)
    given = found["parameters"]
    assert isinstance(given, dict)
    return given


def assignment(workflow: WorkflowBody, node: str, name: str) -> object:
    listed = json.loads(json.dumps(parameters(workflow, node)))["assignments"]["assignments"]
    return next(item["value"] for item in listed if item["name"] == name)

"""The configuration of a deploy, as far as it can be judged before placeholders are replaced (types §14)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from shared.errors import InvalidConfiguration
from shared.model.configuration import Configuration, DataIngestion, Workflow
from shared.model.configuration.ordering import order, references
from shared.model.configuration.workflow_text import decode, parse
from shared.model.tokens import with_nulls
from shared.validation.integrations import check_integrations
from shared.validation.problems import Problem, of_pydantic, problem, refuse
from shared.validation.schemas import Path, check_deployment_form, check_form
from shared.validation.triggers import check_trigger, webhook_paths

_SUBJECT = "The configuration is not valid"
_LONGEST_ID = 128


def validate_configuration(raw: object) -> Configuration:
    """Return the configuration of a use case.

    Raises :class:`InvalidConfiguration` whose message names every problem found and whose details carry
    the first one's ``field``, ``reason`` and ``index``, and :class:`InvalidWorkflowJson` for a workflow
    file that cannot be decoded or is no workflow.
    """
    try:
        configuration = Configuration.model_validate(raw)
    except ValidationError as error:
        refuse(InvalidConfiguration, _SUBJECT, list(of_pydantic(error)))
        raise
    refuse(InvalidConfiguration, _SUBJECT, list(_check(configuration)))
    _check_references(configuration)
    return configuration


def validate_data_ingestion(raw: object) -> DataIngestion:
    """Return the ``config`` of a process-level data ingestion (types §11.1). Raises as above."""
    try:
        ingestion = DataIngestion.model_validate(raw)
    except ValidationError as error:
        refuse(InvalidConfiguration, _SUBJECT, list(of_pydantic(error)))
        raise
    found = [
        problem(("webhooks", name), "must not be empty")
        for name in ("embed", "delete")
        if not getattr(ingestion.webhooks, name).strip()
    ]
    # The id becomes a file's name.
    found += _check_id(ingestion.workflow_template_id, ("workflowTemplateId",))
    refuse(InvalidConfiguration, _SUBJECT, found)
    parse(with_nulls(decode(ingestion)), ingestion.workflow_template_id)
    return ingestion


def _check(configuration: Configuration) -> Iterator[Problem]:
    for name in ("title", "description"):
        if not getattr(configuration, name).strip():
            yield problem((name,), "must not be empty")
    yield from _check_ids(configuration)
    for index, workflow in enumerate(configuration.workflows):
        yield from _check_workflow(workflow, index)
    yield from check_deployment_form(configuration.deployment_input_schema, ("deploymentInputSchema",))
    yield from check_integrations(configuration)


def _check_ids(configuration: Configuration) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, workflow in enumerate(configuration.workflows):
        here = ("workflows", index, "workflowTemplateId")
        name = workflow.workflow_template_id
        # The id is a segment of the trigger's URL.
        yield from _check_id(name, here)
        if name in seen:
            yield problem(here, "is used twice")
        seen.add(name)


def _check_id(name: str, here: Path) -> Iterator[Problem]:
    if "/" in name or name in (".", "..") or len(name) > _LONGEST_ID or not name.isprintable():
        yield problem(here, f"must be at most {_LONGEST_ID} printable characters without '/'")


def _check_workflow(workflow: Workflow, index: int) -> Iterator[Problem]:
    document = parse(with_nulls(decode(workflow, index)), workflow.workflow_template_id, index)
    paths = webhook_paths(document)
    for number, trigger in enumerate(workflow.triggers):
        yield from check_trigger(trigger, paths, ("workflows", index, "triggers", number))
    yield from check_form(workflow.output_schema, ("workflows", index, "outputSchema"))


def _check_references(configuration: Configuration) -> None:
    order(
        {workflow.workflow_template_id: references(decode(workflow)) for workflow in configuration.workflows}
    )

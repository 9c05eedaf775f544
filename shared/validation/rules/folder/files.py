"""The configuration and the files it names (platform §23.6)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.folder_examples import config, folder
from shared.validation.engine.rule import Layer, rule
from shared.validation.usecase.declared import UseCase

FIELD_TYPES = frozenset(
    {
        *("string", "text", "number", "boolean", "date", "select", "multiselect", "radio", "file"),
        *("array", "object", "objectArray", "section"),
    }
)


@rule(
    "CONFIG-EXPORTS",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"config.ts": config(exports="")}),
    good=folder(),
)
def configuration_exports(use_case: UseCase) -> Iterator[Problem]:
    """The configuration exports `WORKFLOW_FILES` and `getConfiguration`, and the project is named.

    They are what deploying asks it for.
    """
    if use_case.config_path is None:
        yield Problem("Missing config.ts (or config.js)", "Create one: codika init makes an example.")
        return
    for name in ("WORKFLOW_FILES", "getConfiguration"):
        if name not in use_case.exports:
            yield Problem(
                f"{use_case.config_path} does not export {name}",
                f"Write: export {'const' if name.isupper() else 'function'} {name} …",
                offset=0,
                path=use_case.config_path,
            )
    if "project.json" not in use_case.files:
        yield Problem(
            "Missing project.json — required before deployment",
            'Create it with {"projectId": "…"}, or run: codika project create --path .',
            severity=Severity.SHOULD,
        )


@rule(
    "CONFIG-WORKFLOWS",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"workflows/forgotten.json": "{}"}),
    good=folder(),
)
def files_are_listed(use_case: UseCase) -> Iterator[Problem]:
    """`WORKFLOW_FILES` names every file in `workflows/`, and nothing else."""
    config_path = use_case.config_path
    if not use_case.workflow_files:
        yield Problem("There is no workflows folder with workflow files", "Put workflow JSON files there.")
    if config_path is None:
        return
    if use_case.listed is None:
        if "WORKFLOW_FILES" in use_case.exports:
            yield Problem(
                "WORKFLOW_FILES cannot be read",
                "List the files one by one: join(__dirname, 'workflows/main.json').",
                offset=0,
                path=config_path,
            )
        return
    for path in use_case.listed:
        if path not in use_case.files:
            yield Problem(f"WORKFLOW_FILES names {path}, which does not exist", offset=0, path=config_path)
    for path in use_case.workflow_files:
        if path not in use_case.listed:
            yield Problem(f"{path} is not in WORKFLOW_FILES", "Add it, or remove the file.", path=path)


@rule(
    "JSON-VALID",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder({"workflows/main.json": "{"}),
    good=folder(),
)
def files_are_json(use_case: UseCase) -> Iterator[Problem]:
    """Every workflow file is JSON, but for placeholders that stand bare."""
    for path in use_case.workflow_files:
        if not use_case.source(path).is_json:
            yield Problem(f"{path} is not valid JSON", path=path, offset=0)


@rule(
    "SCHEMA-TYPES",
    Severity.MUST,
    Layer.FOLDER,
    bad=folder(text=config(top="inputSchema: [{ key: 'amount', type: 'integer' }],")),
    good=folder(text=config(top="inputSchema: [{ key: 'amount', type: 'number' }],")),
)
def field_types_are_known(use_case: UseCase) -> Iterator[Problem]:
    """Fields of schemas have one of the types that forms know."""
    for place, type_ in use_case.schema_types:
        if type_ not in FIELD_TYPES:
            yield Problem(
                f'Invalid field type "{type_}" in a schema',
                f"Use one of: {', '.join(sorted(FIELD_TYPES))}.",
                offset=place.offset,
                path=place.path,
            )

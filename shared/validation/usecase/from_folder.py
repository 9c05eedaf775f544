"""A use case from the files of its folder; nothing of it is executed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from shared.pattern import pattern
from shared.validation.usecase.declared import (
    DeclaredIntegration,
    DeclaredSkill,
    DeclaredTrigger,
    DeclaredWorkflow,
    Place,
    UseCase,
)
from shared.validation.usecase.typescript import Group, Script, Value, Word, unquoted

CONFIGS = ("config.ts", "config.js")
_EXPORT = pattern(r"\bexport\s+(?:const|let|var|(?:async\s+)?function)\s+(?P<name>\w+)")
_SCHEMA_FUNCTION = pattern(r"get\w*(?:Input|Output|Deployment)\w*Schema\w*|get\w*Schema")
_FRONT = pattern(r"---[ \t]*\r?\n(?P<body>.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_LINE = pattern(r"(?P<name>[A-Za-z_][\w-]*):[ \t]*(?P<value>.*)")


def use_case_of(files: Mapping[str, str]) -> UseCase:
    """Return the use case that the files of a folder make, by path below it."""
    config = next((path for path in CONFIGS if path in files), None)
    skills = tuple(_skills(files))
    if config is None:
        return UseCase(files, None, skills=skills)
    script = Script(files[config])
    objects = [(group, group.members()) for group in script.root.groups() if group.bracket == "{"]
    return UseCase(
        files,
        config,
        exports=frozenset(match["name"] for match in _EXPORT.finditer(script.text)),
        listed=_listed(script),
        workflows=tuple(_workflows(script, config, objects)),
        schema_types=tuple(_schema_types(script, config, objects)),
        misnamed_inputs=tuple(_misnamed_inputs(script, config, objects)),
        integrations=tuple(_integrations(script, config, objects)),
        custom_uids=tuple(_custom_uids(script, config)),
        skills=skills,
    )


_Objects = Sequence[tuple[Group, dict[str, Value]]]


def _listed(script: Script) -> list[str] | None:
    group = script.group(script.constants.get("WORKFLOW_FILES"), "[")
    return None if group is None else [path for part in group.parts() if (path := _json_path(part))]


def _json_path(items: Sequence[Word | Group]) -> str | None:
    """Return the path of the JSON file that an expression names, in whatever call it does so."""
    waiting = list(items)
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, Group):
            waiting = [*item.items, *waiting]
        elif item.kind == "string" and unquoted(item).endswith(".json"):
            return posixpath.normpath(unquoted(item))
    return None


def _workflows(script: Script, path: str, objects: _Objects) -> Iterator[DeclaredWorkflow]:
    for group, members in objects:
        if "workflowTemplateId" not in members or not members.keys() & _OF_A_WORKFLOW:
            continue
        id_ = script.string(members["workflowTemplateId"])
        if id_ is None:
            continue
        listed = script.group(members.get("triggers"), "[")
        uids = script.group(members.get("integrationUids"), "[")
        computed = "triggers" in members and listed is None
        yield DeclaredWorkflow(
            Place(path, group.start),
            id_,
            _loaded(script, members.get("n8nWorkflowJsonBase64")),
            None if computed else tuple(_triggers(script, path, listed)),
            None if uids is None else _strings(script, uids),
            None if uids is None else _end(script, uids),
        )


_OF_A_WORKFLOW = frozenset({"triggers", "n8nWorkflowJsonBase64", "workflowName"})


def _loaded(script: Script, value: Value | None) -> str | None:
    if value is None or not value.items:
        return None
    first = value.items[0]
    declared = script.constants.get(first.text) if isinstance(first, Word) and len(value.items) == 1 else None
    return _json_path((declared or value).items)


def _triggers(script: Script, path: str, listed: Group | None) -> Iterator[DeclaredTrigger]:
    for part in listed.parts() if listed else ():
        group = script.group(Value(0, part), "{")
        if group is None:
            continue
        members = group.members()
        called = script.group(members.get("calledBy"), "[")
        yield DeclaredTrigger(
            Place(path, group.start),
            script.string(members.get("type")),
            {name: script.string(value) for name, value in members.items()},
            None if called is None else _strings(script, called),
            None if called is None else _end(script, called),
        )


def _misnamed_inputs(script: Script, path: str, objects: _Objects) -> Iterator[Place]:
    for _, members in objects:
        schema = script.group(members.get("inputSchema"), "[")
        for part in schema.parts() if schema else ():
            entry = script.group(Value(0, part), "{")
            given = entry.members() if entry else {}
            if "name" in given and "key" not in given:
                yield Place(path, given["name"].start)


def _schema_types(script: Script, path: str, objects: _Objects) -> Iterator[tuple[Place, str]]:
    """Yield the types in schemas: in members that are called so, and in functions that return one."""
    lists = [
        found
        for _, members in objects
        for name, value in members.items()
        if name.endswith("Schema") and (found := script.group(value, "["))
    ]
    bodies = [body for name, body in script.functions.items() if _SCHEMA_FUNCTION.fullmatch(name)]
    seen: set[int] = set()
    for group in (*lists, *bodies):
        for inner in group.groups():
            if inner.start in seen or inner.bracket != "{":
                continue
            seen.add(inner.start)
            given = inner.members().get("type")
            type_ = script.string(given)
            if given is not None and type_ is not None:
                yield Place(path, given.start), type_


def _integrations(script: Script, path: str, objects: _Objects) -> Iterator[DeclaredIntegration]:
    for _, members in objects:
        listed = script.group(members.get("customIntegrations"), "[")
        for part in listed.parts() if listed else ():
            group = script.group(Value(0, part), "{")
            if group is None:
                continue
            own = group.members()
            mapping = script.group(own.get("n8nCredentialMapping"), "{")
            yield DeclaredIntegration(
                Place(path, group.start),
                script.string(own.get("id")) or "",
                script.string(own.get("n8nCredentialType")) or script.string(own.get("type")),
                _keys(script, own.get("secretFields")),
                _keys(script, own.get("metadataFields")),
                None if mapping is None else tuple(mapping.members()),
            )


def _keys(script: Script, value: Value | None) -> list[str]:
    listed = script.group(value, "[")
    entries = [script.group(Value(0, part), "{") for part in listed.parts()] if listed else []
    keys = [script.string(entry.members().get("key")) for entry in entries if entry]
    return [key for key in keys if key is not None]


def _custom_uids(script: Script, path: str) -> Iterator[tuple[Place, str]]:
    for group in script.root.groups():
        for name, value in group.members().items() if group.bracket == "{" else ():
            listed = script.group(value, "[") if name == "integrationUids" else None
            for uid in _strings(script, listed) if listed else ():
                if uid.startswith("cstm_"):
                    yield Place(path, value.start), uid


def _strings(script: Script, group: Group) -> list[str]:
    texts = [script.string(Value(0, part)) for part in group.parts()]
    return [text for text in texts if text is not None]


def _end(script: Script, group: Group) -> int | None:
    """Return where another text can be added to a list: behind the last thing in it.

    ``None`` behind a text that nobody ended: what is added there would be a part of it.
    """
    last = group.items[-1] if group.items else None
    if (
        isinstance(last, Word)
        and last.kind == "string"
        and (len(last.text) < 2 or last.text[-1] != last.text[0])
    ):
        return None
    return last.start + len(last.text) if isinstance(last, Word) else group.start + 1


def _skills(files: Mapping[str, str]) -> Iterator[DeclaredSkill]:
    parts = [path.split("/") for path in files if path.startswith("skills/")]
    for folder in sorted({f"{found[0]}/{found[1]}" for found in parts if len(found) > 2}):
        path = f"{folder}/SKILL.md"
        yield DeclaredSkill(path, front_matter(files[path])) if path in files else DeclaredSkill(folder, None)


def front_matter(text: str) -> dict[str, str]:
    """Return what stands between the ``---`` lines at the beginning of a text, one name a line."""
    match = _FRONT.match(text.removeprefix("\ufeff"))
    lines = match["body"].splitlines() if match else []
    found = [_FRONT_LINE.fullmatch(line.rstrip()) for line in lines]
    return {one["name"]: one["value"].strip().strip("'\"") for one in found if one}

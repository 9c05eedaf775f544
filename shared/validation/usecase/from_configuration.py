"""The folder that a configuration could have come from, so that one set of rules judges both. Pure.

A configuration that was sent is a folder's code, executed. Written as code again, with the files of its
workflows and skills beside it, it is a folder.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping

CONFIGURATION = "config.ts"
"""Where findings about the configuration itself are told."""
_FILE = "n8nWorkflowJsonBase64"


def files_of(configuration: object, skills: object) -> dict[str, str]:
    """Return the files of a use case by path: what a deploy sends, however malformed.

    What is no configuration or no skill at all is left out: checking the shape is not done here.
    """
    stated = configuration if isinstance(configuration, dict) else {}
    workflows = [row for row in _list(stated.get("workflows")) if isinstance(row, dict)]
    texts = dict(_texts(workflows))
    code = json.dumps(
        {**stated, "workflows": list(map(_without_file, workflows))}, indent=2, ensure_ascii=False
    )
    listed = json.dumps(list(texts))
    return {
        CONFIGURATION: (
            f"export const WORKFLOW_FILES = {listed};\n\nexport function getConfiguration() {{\n"
            f"  return {code};\n}}\n"
        ),
        "project.json": "{}",
        **texts,
        **dict(_skills(skills)),
    }


def _texts(workflows: list[dict[str, object]]) -> Iterator[tuple[str, str]]:
    for row in workflows:
        encoded = row.get(_FILE)
        if isinstance(encoded, str):
            try:
                content = base64.b64decode("".join(encoded.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
            yield _path(row), content.decode("utf-8-sig", errors="surrogateescape")


def _path(row: Mapping[str, object]) -> str:
    return f"workflows/{row.get('workflowTemplateId')}.json"


def _without_file(row: dict[str, object]) -> dict[str, object]:
    return {**row, _FILE: _path(row)} if isinstance(row.get(_FILE), str) else row


def _skills(skills: object) -> Iterator[tuple[str, str]]:
    for row in _list(skills):
        if isinstance(row, dict) and isinstance(row.get("contentMarkdown"), str):
            # A skill without front matter is known by what the client made of it.
            yield f"skills/{row.get('name')}/SKILL.md", _with_front_matter(row)


def _with_front_matter(row: Mapping[str, object]) -> str:
    text = str(row["contentMarkdown"])
    if text.startswith("---"):
        return text
    front = [
        f"{name}: {row[name]}" for name in ("name", "description", "workflowTemplateId") if row.get(name)
    ]
    return "\n".join(["---", *front, "---", text])


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

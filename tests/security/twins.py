"""What an attack resembles and is none: innocent twins, and what is disarmed on the way into n8n."""

from __future__ import annotations

from tests.security.attacks import (
    BASE,
    CHAIN,
    FOREIGN,
    OPENAI,
    OWN,
    SHARED,
    SIBLING,
    Attack,
    call,
    credential,
    holding,
    hook,
    locator,
    node,
    reads,
)

TWINS = [
    Attack("credential", "the own one by placeholders", holding({"openAiApi": OPENAI})),
    Attack("credential", "the own one, disabled", holding({"openAiApi": OPENAI}, disabled=True)),
    Attack("sub-workflow", "a sibling, once more", call(locator("id", SIBLING))),
    Attack("sub-workflow", "a sibling out of a list", call(locator("list", SIBLING))),
    Attack("path", "another one below the own", hook(f"{OWN}/more")),
    Attack("path", "the own one by another method", hook(f"{OWN}/beta", httpMethod="GET")),
    Attack("environment", "words about it", reads("an environment for the process, and $environment")),
    Attack("type", "code", (node(BASE + "code", {"jsCode": "return []"}),)),
    Attack("type", "a remote shell with an own credential", (node(BASE + "ssh"),)),
    Attack(
        "settings",
        "the organization's error workflow",
        (),
        "",
        {"errorWorkflow": "{{ORGSECRET_ERROR_WORKFLOW_ID_TERCESORG}}"},
    ),
    Attack(
        "platform",
        "the platform's, for its own service",
        holding({"openAiApi": SHARED}, CHAIN + "lmChatOpenAi"),
    ),
    Attack("shape", "nested 150 levels deep", reads("<nested>")),
    Attack("shape", "two thousand nodes", tuple(node(BASE + "noOp", name=f"n{i}") for i in range(2000))),
]

HIDDEN = node(BASE + "executeCommand", credentials={"openAiApi": FOREIGN})

DISARMED = [
    Attack("hidden", "nodes in pinned data", top={"pinData": {"Webhook": [{"json": HIDDEN}]}}),
    Attack("hidden", "nodes in static data", top={"staticData": {"global": HIDDEN, "id": "<workflow>"}}),
    Attack("hidden", "nodes in meta", top={"meta": {"nodes": [HIDDEN], "instanceId": "<instance>"}}),
    Attack("hidden", "foreign ids at the top", top={"id": "<workflow>", "shared": [FOREIGN]}),
    Attack("hidden", "unknown keys of a node", (node(BASE + "noOp", credential=FOREIGN, of="<credential>"),)),
    Attack("hidden", "a confusable key", (node(BASE + "noOp", **{"\u0441redentials": {"a": FOREIGN}}),)),
    Attack("hidden", "a foreign name beside an own id", credential(OPENAI["id"], "<credential name>")),
    Attack("hidden", "a foreign webhook id", (node(CHAIN + "chatTrigger", webhookId="<instance>"),)),
    Attack(
        "hidden",
        "a foreign webhook id with the own one in it",
        (node(CHAIN + "chatTrigger", webhookId="<path>/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}"),),
    ),
    Attack("hidden", "callers of everybody", settings={"callerPolicy": "any", "callerIds": "<workflow>"}),
    Attack("hidden", "shown to whoever speaks MCP", settings={"availableInMCP": True}),
    Attack("hidden", "hidden from the platform", settings={"redactionPolicy": "all"}),
]
"""What is dropped or rewritten on the way, as n8n's own exports hold such keys too."""

"""Node types no use case may contain, and why: each reaches past the installation it runs for.

Deliberately allowed: ``ssh`` and ``ftp`` (they reach only hosts the tenant holds credentials for; the
machine n8n runs on must not be one, which is the network's business) and ``executionData`` (annotates
its own run).
"""

from __future__ import annotations

from collections.abc import Mapping

_COMMANDS = "runs commands on the machine of n8n"
_FILES = "reads or writes files on the machine of n8n"
_N8N = "reaches workflows and credentials of everybody in n8n"
_INSIDE = "runs its code inside n8n itself, beside everybody's credentials; use a Code node"
_SHARED = "keeps its data where every workflow in n8n can read it"

DENIED: Mapping[str, str] = {
    "executeCommand": _COMMANDS,
    "git": "clones into and runs hooks on the machine of n8n",
    "readWriteFile": _FILES,
    "readBinaryFile": _FILES,
    "readBinaryFiles": _FILES,
    "writeBinaryFile": _FILES,
    "localFileTrigger": _FILES,
    "n8n": _N8N,
    "n8nTrigger": _N8N,
    "messageAnAgent": _N8N,
    "dynamicCredentialCheck": _N8N,
    "dataTable": _SHARED,
    "evaluation": _SHARED,
    "evaluationTrigger": _SHARED,
    "vectorStoreInMemory": _SHARED,
    "vectorStoreInMemoryInsert": _SHARED,
    "vectorStoreInMemoryLoad": _SHARED,
    "chatHubVectorStorePGVector": _SHARED,
    "chatHubVectorStorePinecone": _SHARED,
    "chatHubVectorStoreQdrant": _SHARED,
    "function": _INSIDE,
    "functionItem": _INSIDE,
    "debugHelper": "can exhaust the memory of n8n",
}

# Not the Code node of n8n-nodes-base: its code runs in a process of its own.
_LANGCHAIN_CODE = "@n8n/n8n-nodes-langchain.code"
_BY_NAME = {name.lower(): reason for name, reason in DENIED.items()} | {_LANGCHAIN_CODE: _INSIDE}


def denial(kind: str) -> str | None:
    """Return why a node type is refused, or ``None``.

    n8n offers most nodes a second time as a tool for agents, under the name with ``Tool`` or
    ``HitlTool`` behind it.
    """
    lowered = kind.lower()
    for name in (lowered, lowered.rpartition(".")[2]):
        for candidate in (name, name.removesuffix("tool"), name.removesuffix("hitltool")):
            if candidate in _BY_NAME:
                return _BY_NAME[candidate]
    return None

"""Whether a workflow asks language models: a run of any other need not be looked at for tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.model.configuration.ordering import references

_MODELS = re.compile(
    r'"ai_languageModel"|n8n-nodes-langchain\.(?:lm|openAi|anthropic|googleGemini|ollama|agent|chain)'
)


def uses_language_models(workflow_id: str, texts: Mapping[str, str]) -> bool:
    """Return whether a workflow, or one that it calls, has a node that asks a language model.

    ``texts`` are the workflow files of the ensemble by template id, placeholders unresolved.
    """
    seen: set[str] = set()
    ahead = [workflow_id]
    while ahead:
        name = ahead.pop()
        if name in seen or name not in texts:
            continue
        seen.add(name)
        if _MODELS.search(texts[name]):
            return True
        ahead += references(texts[name])
    return False

"""Layer 3: credentials are placeholders (platform §23.5, 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.model.tokens import Scope
from shared.pattern import pattern
from shared.validation.engine.examples import node, one, parent
from shared.validation.engine.finding import Problem, Severity
from shared.validation.engine.rule import Layer, rule
from shared.validation.engine.workflow import Workflow, object_of

_PER_INTEGRATION = {
    scope.value: scope.suffix
    for scope in (
        Scope.FLEXIBLE_CREDENTIAL,
        Scope.MEMBER_CREDENTIAL,
        Scope.ORGANIZATION_CREDENTIAL,
        Scope.INSTANCE_CREDENTIAL,
    )
}
_OTHERS = frozenset(scope.value for scope in Scope) - set(_PER_INTEGRATION)
_TOKEN = pattern(r"\{\{(?P<prefix>[A-Z]+)_(?P<key>[A-Z0-9_]*)_(?P<suffix>[A-Z]+)\}\}")
_MARKERS = {"id": "ID", "name": "NAME"}

_GOOD = {"id": "{{FLEXCRED_OPENAI_ID_DERCXELF}}", "name": "{{FLEXCRED_OPENAI_NAME_DERCXELF}}"}


@rule(
    "CRED-PLACEHOLDER",
    Severity.SHOULD,
    Layer.CONTENT,
    bad=one(
        lambda: parent(
            node("Ask the model", "openAi", credentials={"openAiApi": {"id": "12", "name": "Mine"}})
        )
    ),
    good=one(lambda: parent(node("Ask the model", "openAi", credentials={"openAiApi": _GOOD}))),
)
def credential_is_placeholder(workflow: Workflow) -> Iterator[Problem]:
    """Credentials of nodes are placeholders, in id and in name, of the same kind.

    Every installation has credentials of its own; an id that stands in the file is somebody's.
    """
    for found in workflow.nodes:
        for slot, given in object_of(found.data.get("credentials")).items():
            if given is None:
                continue
            entry = object_of(given)
            kinds: dict[str, str] = {}
            for name, marker in _MARKERS.items():
                given_value = entry.get(name)
                value = given_value if isinstance(given_value, str) else str(given_value or "")
                wrong = _wrong(value, name, marker) if name in entry else f"no credential {name}"
                if wrong is None:
                    kind = value[2:].partition("_")[0]
                    kinds |= {name: kind} if kind in _PER_INTEGRATION else {}
                    continue
                there = name if name in entry else ""
                at = found.at("credentials", slot, *filter(None, [there]))
                yield Problem(
                    f'Node "{found.name}" has {wrong} for "{slot}"',
                    _advice(slot, marker),
                    at,
                    node_id=found.id,
                )
            if len(set(kinds.values())) > 1:
                yield Problem(
                    f'Node "{found.name}" uses different credential types for id and name of "{slot}"',
                    "Use the same kind of placeholder for both.",
                    found.at("credentials", slot),
                    node_id=found.id,
                )


def _wrong(value: str, name: str, marker: str) -> str | None:
    """Return what is wrong with a value, in a few words, or ``None``. An empty one is none yet."""
    if not value:
        return None
    if not value.startswith("{{"):
        return f"hardcoded credential {name}"
    match = _TOKEN.fullmatch(value)
    if match is None:
        # Lower-case and half-written placeholders are another rule's.
        return f"a malformed credential {name}" if re.match(r"\{\{[A-Z]", value) else None
    prefix, key = match["prefix"], match["key"]
    has_marker = f"_{marker}_" in value
    if prefix in _OTHERS:
        return None if has_marker else f"a credential {name} without the _{marker}_ marker"
    if prefix not in _PER_INTEGRATION:
        return f"an unknown credential type in the credential {name}"
    if match["suffix"] != _PER_INTEGRATION[prefix]:
        return f"a wrong suffix in the credential {name}"
    if not key.endswith(f"_{marker}"):
        other = next(known for known in _MARKERS.values() if known != marker)
        kind = f"the _{other}_ marker" if key.endswith(f"_{other}") else "no marker"
        return f"{kind} in the credential {name}, where _{marker}_ belongs"
    return None


def _advice(slot: str, marker: str) -> str:
    service = re.sub(r"[^A-Z0-9]+", "_", slot.removesuffix("Api").removesuffix("OAuth2").upper())
    example = Scope.FLEXIBLE_CREDENTIAL.placeholder(f"{service}_{marker}")
    kinds = ", ".join(f"{prefix} (suffix {suffix})" for prefix, suffix in _PER_INTEGRATION.items())
    return f"Use a placeholder with the _{marker}_ marker, e.g. {example}. Kinds: {kinds}."

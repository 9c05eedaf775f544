"""Replaces all placeholders of a text in one pass over the template (platform §6.2).

Inserted values are never looked at again: what looks like a placeholder inside a value stays text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import InvalidConfiguration
from shared.model.tokens import Scope, Token, find, inside_strings, malformed
from shared.placeholders import insertion
from shared.placeholders.insertion import Place
from shared.placeholders.lookup import Lookup
from shared.placeholders.problems import MalformedPlaceholder, MissingIntegration, Problem, UnsafeValue
from shared.placeholders.values import Values

_WEBHOOK_ID, _WEBHOOK_NAME = "WEBHOOK_AUTH_CRED_ID", "WEBHOOK_AUTH_CRED_NAME"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A text with its placeholders replaced. Those with a problem are still in it.

    ``credentials`` are the n8n credentials the placeholders stood for, id → name: the only ones the
    result may use.
    """

    text: str = field(repr=False)
    problems: tuple[Problem, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing_integrations(self) -> list[str]:
        """Return the ids of integrations to connect, each once, in order of first mention."""
        missing = (item.integration_id for item in self.problems if isinstance(item, MissingIntegration))
        return list(dict.fromkeys(missing))

    def complete(self) -> str:
        """Return the text. Raises :class:`InvalidConfiguration` naming every problem, if there is one."""
        if self.problems:
            reason = "; ".join(str(problem) for problem in self.problems)
            raise InvalidConfiguration(f"Placeholders cannot be resolved: {reason}.", reason=reason)
        return self.text


def resolve(text: str, values: Values, *, plain: bool = False) -> Resolution:
    """Replace the placeholders of a workflow file or, ``plain``, of a trigger URL or webhook path."""
    lookup = Lookup(values)
    tokens = find(text)
    problems: list[Problem] = [MalformedPlaceholder(found) for found in malformed(text)]
    parts: list[str] = []
    last = 0
    for token, place in zip(tokens, _places(text, tokens, plain), strict=True):
        written = _write(text, token, place, lookup)
        if isinstance(written, str):
            parts += [text[last : token.start], written]
            last = token.end
        else:
            problems.append(written)
    parts.append(text[last:])
    return Resolution("".join(parts), tuple(dict.fromkeys(problems)), _credentials(tokens, values, lookup))


def _places(text: str, tokens: list[Token], plain: bool) -> list[Place]:
    if plain:
        return [Place.PLAIN] * len(tokens)
    return [Place.STRING if inside else Place.VALUE for inside in inside_strings(text, tokens)]


def _write(text: str, token: Token, place: Place, lookup: Lookup) -> str | Problem:
    try:
        if token.scope is Scope.PARAMETER:
            value, problem = lookup.parameter(token.key)
            around = text[token.start - 1 : token.start], text[token.end : token.end + 1]
            return problem or insertion.parameter(value, place, *around)
        found = lookup.fixed(token)
        return insertion.fixed(found, place) if isinstance(found, str) else found
    except ValueError:
        return UnsafeValue(token.scope, token.key)


def _credentials(tokens: list[Token], values: Values, lookup: Lookup) -> dict[str, str]:
    names: dict[str, str] = {}
    for token in tokens:
        if token.scope.is_credential and (credential := lookup.credential(token)):
            # An integration may be connected without a credential in n8n.
            if credential.id:
                names[credential.id] = credential.name
        elif token.scope is Scope.ORGANIZATION and token.key == _WEBHOOK_ID:
            identifier = values.organization.get(_WEBHOOK_ID)
            if identifier:
                names[identifier] = values.organization.get(_WEBHOOK_NAME, "")
    return names

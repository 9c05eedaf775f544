"""From a placeholder to its value, or to the reason there is none (platform §6.1)."""

from __future__ import annotations

from collections.abc import Collection

from shared.model.configuration import FormField, fields_of
from shared.model.configuration.fields import ChoiceField, DateField, TextField
from shared.model.tokens import Scope, Token
from shared.placeholders.problems import (
    MissingIntegration,
    MissingParameter,
    Problem,
    UnknownKey,
    UnresolvedSubworkflow,
)
from shared.placeholders.values import Credential, Credentials, Texts, Values

_ALIASES = {"postgresql": "postgres", "gmail": "google_gmail"}
_MICROSOFT = "microsoft"


class Lookup:
    """Answers for one set of values."""

    def __init__(self, values: Values) -> None:
        self._subworkflows = values.subworkflows
        self._parameters = values.parameters
        self._schema: dict[str, FormField] = {
            field.key: field for field in fields_of(values.parameter_schema)
        }
        self._texts: dict[Scope, Texts] = {
            Scope.PROCESS: values.process,
            Scope.INSTALLATION: values.installation,
            Scope.ORGANIZATION: values.organization,
            Scope.MEMBER_SECRET: values.member_secrets,
        }
        self._credentials: dict[Scope, Credentials] = {
            Scope.PLATFORM_CREDENTIAL: values.platform_credentials,
            Scope.ORGANIZATION_CREDENTIAL: values.organization_credentials,
            Scope.MEMBER_CREDENTIAL: values.member_credentials,
            Scope.FLEXIBLE_CREDENTIAL: values.flexible_credentials,
            Scope.INSTANCE_CREDENTIAL: values.instance_credentials,
        }

    def fixed(self, token: Token) -> str | Problem:
        """Return the text of a placeholder of any scope but ``INSTPARM``, or the problem."""
        if token.scope is Scope.SUBWORKFLOW:
            return self._subworkflows.get(token.key) or UnresolvedSubworkflow(token.key)
        if token.scope.is_credential:
            return self._credential(token)
        return self._texts[token.scope].get(token.key) or UnknownKey(token.scope, token.key)

    def parameter(self, key: str) -> tuple[object, Problem | None]:
        """Return the value of a parameter and no problem, or the problem.

        Without a value: an optional text is empty, any other optional parameter is null.
        """
        field = self._schema.get(key)
        if field is None:
            return None, UnknownKey(Scope.PARAMETER, key)
        value = self._parameters.get(key)
        if value is not None:
            return value, None
        if field.required:
            return None, MissingParameter(key)
        return ("" if isinstance(field, TextField | DateField | ChoiceField) else None), None

    def credential(self, token: Token) -> Credential | None:
        """Return the credential a placeholder of a credential scope names."""
        connected = self._credentials[token.scope]
        uid = meant(integration_of(token), connected)
        return connected.get(uid)

    def _credential(self, token: Token) -> str | Problem:
        part = token.key.rpartition("_")[2]
        readable = ("ID", "NAME", "KEY") if token.scope is Scope.FLEXIBLE_CREDENTIAL else ("ID", "NAME")
        if part not in readable:
            return UnknownKey(token.scope, token.key)
        found = self.credential(token)
        if found is None:
            # A platform credential is ours to provide: no tenant can connect it.
            if token.scope is Scope.PLATFORM_CREDENTIAL:
                return UnknownKey(token.scope, token.key)
            uid = meant(integration_of(token), self._credentials[token.scope])
            return MissingIntegration(uid, token.scope)
        value = {"ID": found.id, "NAME": found.name, "KEY": found.key}[part]
        return value or UnknownKey(token.scope, token.key)


def canonical(uid: str) -> str:
    """Return the id of an integration that authors know under two (platform §24, 24 and 25)."""
    return _ALIASES.get(uid, uid)


def meant(uid: str, connected: Collection[str]) -> str:
    """Return which of the connected integrations an id means, or what is not connected under it.

    A bare ``microsoft`` means the one Microsoft integration there is.
    """
    if uid == _MICROSOFT:
        candidates = [name for name in connected if name.startswith(f"{_MICROSOFT}_")]
        return candidates[0] if len(candidates) == 1 else uid
    return uid if uid in connected else canonical(uid)


def integration_of(token: Token) -> str:
    """Return the integration a placeholder of a credential scope names, as its author spelled it."""
    return token.key.rpartition("_")[0].lower()

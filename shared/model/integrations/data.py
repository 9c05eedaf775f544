"""From the values a client sent to the data of an n8n credential (types §7, §8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.errors import InvalidRequest
from shared.model.integrations.definition import Definition, SecretField

Schema = Mapping[str, object]
"""n8n's own schema of a credential type."""

_SECRET_WORDS = ("key", "token", "secret", "password", "passphrase")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def credential_data(definition: Definition, given: Mapping[str, str], schema: Schema) -> dict[str, object]:
    """Return the data to store in n8n.

    ``given`` maps the keys of secret and metadata fields to their values. What n8n's schema requires
    besides, secrets excepted, is filled with a neutral value (api §5.15).

    Raises:
        InvalidRequest: a value is not of the type n8n wants, the credential has no such field, or a
            secret n8n requires is no field of the integration. No message carries a value.
    """
    data = dict(definition.fixed)
    properties = _mapping(schema.get("properties"))
    for field in (*definition.secrets, *definition.metadata):
        value = given.get(field.key, "")
        if field.target is None or value == "":
            continue
        if field.target not in properties:
            raise _refusal(field, f"{definition.credential_type} has no field '{field.target}'")
        data[field.target] = _typed(field, value, _mapping(properties[field.target]))
    known = {name: value for name, value in data.items() if name in properties}
    return _completed(known, schema, definition)


def _typed(field: SecretField, value: str, declared: Schema) -> object:
    """Return the value as the type n8n declares."""
    options = declared.get("enum")
    if isinstance(options, list):
        return _option(field, value, options)
    if declared.get("type") == "number":
        return _number(field, value)
    if declared.get("type") == "boolean":
        lowered = value.strip().lower()
        if lowered not in (*_TRUE, *_FALSE):
            raise _refusal(field, "must be true or false")
        return lowered in _TRUE
    return value


def _option(field: SecretField, value: str, options: list[object]) -> object:
    lowered = value.strip().lower()
    wanted = field.choices.get(lowered, lowered)
    for option in options:
        if str(option).lower() == wanted:
            return option
    raise _refusal(field, f"must be one of {', '.join(map(str, options))}")


def _number(field: SecretField, value: str) -> int | float:
    for read in (int, float):
        try:
            number = read(value)
        except ValueError:
            continue
        if abs(number) < 2**53:
            return number
    raise _refusal(field, "must be a number")


def _completed(data: dict[str, object], schema: Schema, definition: Definition) -> dict[str, object]:
    properties = _mapping(schema.get("properties"))
    for name in _required(schema):
        if name in data:
            continue
        if any(word in name.lower() for word in _SECRET_WORDS):
            raise InvalidRequest(
                f"n8n requires '{name}' for credentials of type {definition.credential_type}, and no field "
                f"of {definition.uid} is mapped to it.",
                field="n8nCredentialMapping",
                reason=f"'{name}' is required",
            )
        data[name] = _neutral(_mapping(properties.get(name)))
    for rule in _list(schema.get("allOf")):
        rule = _mapping(rule)
        if _applies(_mapping(rule.get("if")), data):
            for name in _required_by(_mapping(rule.get("then"))):
                data.setdefault(name, _neutral(_mapping(properties.get(name))))
    return data


def _neutral(declared: Schema) -> object:
    options = declared.get("enum")
    if isinstance(options, list) and options:
        return options[0]
    kinds: dict[object, object] = {"number": 0, "boolean": False, "json": "{}"}
    return kinds.get(declared.get("type"), "")


def _applies(condition: Schema, data: Mapping[str, object]) -> bool:
    """Whether n8n's condition holds; as in JSON schema, it also holds for a field that is absent."""
    if any(name not in data for name in _required(condition)):
        return False
    for name, wanted in _mapping(condition.get("properties")).items():
        options = _mapping(wanted).get("enum")
        if name in data and isinstance(options, list) and data[name] not in options:
            return False
    return True


def _required_by(consequence: Schema) -> Iterator[str]:
    yield from _required(consequence)
    for part in _list(consequence.get("allOf")):
        yield from _required(_mapping(part))


def _required(schema: Schema) -> list[str]:
    return [name for name in _list(schema.get("required")) if isinstance(name, str)]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _refusal(field: SecretField, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field.key}: {reason}.", field=field.key, reason=reason)

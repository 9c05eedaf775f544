"""From what a client sends to the data of an n8n credential, and what that is called."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.model.configuration import CustomIntegration
from shared.model.integrations import (
    CATALOGUE,
    FLEXIBLE,
    AuthMethod,
    ContextType,
    Definition,
    Holder,
    SecretField,
    credential_data,
    credential_id,
    credential_name,
    custom,
)

HOLDERS = st.builds(
    Holder,
    st.sampled_from(list(ContextType)),
    st.text(string.ascii_letters, min_size=1, max_size=28),
    st.text(string.ascii_letters + "-", min_size=1, max_size=36),
)
UIDS = st.sampled_from(sorted(CATALOGUE)) | st.from_regex(r"\Acstm_[a-z0-9_]{1,60}\Z")
NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)
KINDS: dict[str, Any] = {"string": str, "number": int | float, "boolean": bool}


@given(HOLDERS, UIDS, st.text(max_size=100))
def test_names_and_ids_fit_n8n(holder: Holder, uid: str, name: str) -> None:
    assert 3 <= len(credential_name(holder, uid, name)) <= 64
    identifier = credential_id(holder, uid)
    assert len(identifier) == 16
    assert set(identifier) <= set(string.ascii_letters + string.digits)


@given(HOLDERS, UIDS, HOLDERS, UIDS)
def test_two_integrations_never_share_a_credential(a: Holder, a_uid: str, b: Holder, b_uid: str) -> None:
    assert (credential_id(a, a_uid) == credential_id(b, b_uid)) == ((a, a_uid) == (b, b_uid))


def test_names_are_framed_by_who_holds_them() -> None:
    digest = "a948904f2f0f479b8f8197694"  # of "hello world\n", which is no organization
    member = Holder(ContextType.MEMBER, "hello ", "world\n")
    assert credential_name(member, "google_gmail", "Gmail") == f"USERCRED_GOOGLE_GMAIL_{digest}_DERCRESU"
    organization = Holder(ContextType.ORGANIZATION, "hello world\n", "hello world\n")
    long = "cstm_" + "x" * 40
    assert credential_name(organization, long, "X") == f"WVYZQWVY_{long.upper()[:20]}_{digest}_YVWQZYVW"
    instance = Holder(ContextType.PROCESS_INSTANCE, "o", "hello world\n")
    assert credential_name(instance, "postgres", "P") == f"INSTCRED_POSTGRES_{digest}_DERCTSNI"


@given(st.dictionaries(NAMES, st.text(min_size=1, max_size=20), min_size=1))
def test_every_mapped_text_arrives_as_it_was_sent(values: dict[str, str]) -> None:
    fields = tuple(SecretField(key.upper() + str(i), key) for i, key in enumerate(values))
    definition = _definition(*fields)
    schema = {"properties": {key: {"type": "string"} for key in values}, "required": list(values)}
    sent = {field.key: values[field.target or ""] for field in fields}

    assert credential_data(definition, sent, schema) == values


SCHEMAS = st.dictionaries(NAMES, st.sampled_from([*KINDS, ("a", "b"), ("true", "false")]), max_size=6).map(
    lambda kinds: {
        name: {"type": "string", "enum": list(kind)} if isinstance(kind, tuple) else {"type": kind}
        for name, kind in kinds.items()
    }
)


@given(SCHEMAS, st.data())
def test_whatever_n8n_requires_is_there_in_its_type_and_nothing_else(
    properties: dict[str, Any], data: st.DataObject
) -> None:
    required = data.draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    harmless = [n for n in required if not any(w in n.lower() for w in ("key", "token", "secret", "pass"))]
    switch = {"if": {"properties": {"mode": {"enum": ["x"]}}}, "then": {"allOf": [{"required": harmless}]}}
    schema = {"properties": properties, "required": harmless, "allOf": [switch]}

    made = credential_data(_definition(), {}, schema)

    assert set(made) == set(harmless)
    for name, value in made.items():
        assert isinstance(value, KINDS[properties[name]["type"]])
        assert value in properties[name].get("enum", [value])


def test_a_secret_n8n_requires_is_never_filled_in() -> None:
    schema = {"properties": {"apiKey": {"type": "string"}}, "required": ["apiKey"]}

    with pytest.raises(InvalidRequest, match="apiKey"):
        credential_data(_definition(), {}, schema)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({"type": "number"}, "5432", 5432),
        ({"type": "number"}, "0.5", 0.5),
        ({"type": "number"}, "many", None),
        ({"type": "number"}, "nan", None),
        ({"type": "number"}, "9" * 400, None),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "0", False),
        ({"type": "boolean"}, "perhaps", None),
        ({"type": "string", "enum": ["Allow", "deny"]}, "ALLOW", "Allow"),
        ({"type": "string", "enum": ["Allow", "deny"]}, "on", "Allow"),
        ({"type": "string", "enum": ["Allow", "deny"]}, "else", None),
        ({"type": "string"}, " kept as it is ", " kept as it is "),
    ],
)
def test_texts_become_what_n8n_declares_or_are_refused_unnamed(
    declared: dict[str, Any], text: str, value: object
) -> None:
    definition = _definition(SecretField("FIELD", "field", choices={"on": "allow"}))
    schema = {"properties": {"field": declared}}
    if value is None:
        with pytest.raises(InvalidRequest) as refused:
            credential_data(definition, {"FIELD": text}, schema)
        assert "FIELD" in refused.value.message
        assert text not in refused.value.message
        return
    made = credential_data(definition, {"FIELD": text}, schema)["field"]
    assert (made, type(made)) == (value, type(value))


def test_the_catalogue_has_no_two_ways_to_say_a_secret() -> None:
    keys = [field.key for definition in CATALOGUE.values() for field in definition.secrets]
    assert len(keys) == len(set(keys))
    for uid, definition in CATALOGUE.items():
        is_oauth = definition.auth_method is AuthMethod.OAUTH
        assert bool(definition.secrets) != is_oauth, uid
        assert definition.contexts or uid in FLEXIBLE, uid
    assert set(CATALOGUE) >= FLEXIBLE
    assert len(CATALOGUE) == 39


def test_custom_secrets_are_required_and_metadata_is_not_unless_said() -> None:
    def field(key: str, **more: object) -> dict[str, object]:
        return {"key": key, "label": key, "type": "string", **more}

    schema = CustomIntegration.model_validate(
        {
            "id": "cstm_a",
            "name": "A",
            "contextType": "member",
            "n8nCredentialType": "httpBasicAuth",
            "n8nCredentialMapping": {"A": "user", "C": "password"},
            "secretFields": [field("A"), field("B", required=False)],
            "metadataFields": [field("C"), field("D", required=True)],
        }
    )
    definition = custom(schema)

    assert [(f.key, f.target, f.required) for f in definition.secrets] == [
        ("A", "user", True),
        ("B", None, False),
    ]
    assert [(f.key, f.target, f.required) for f in definition.metadata] == [
        ("C", "password", False),
        ("D", None, True),
    ]


def _definition(*fields: SecretField) -> Definition:
    return Definition("x", "X", (), AuthMethod.CREDENTIALS, "someApi", fields)

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.n8n.redaction import REDACTED, redact

SECRET = "s3cr3t-of-the-organization"

names = st.sampled_from(
    ["x-codika-webhook-auth", "X-Codika-Webhook-Auth", "AUTHORIZATION", "executionSecret", "memberSecret"]
)
# No name of a secret can be spelled with these letters.
words = st.text('xyzé{}[]":,= ', max_size=20)
harmless = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(words, part, max_size=4),
    max_leaves=20,
)


def around(name: str, filling: object) -> st.SearchStrategy[object]:
    """Documents that hold the secret under ``name`` somewhere, and copies of it elsewhere."""
    holder: st.SearchStrategy[object] = st.sampled_from(
        [
            {name: SECRET},
            {name: [SECRET]},
            {"name": name, "value": SECRET},
            {"headers": {name: SECRET}, "copy": f"Bearer {SECRET}", "json": json.dumps({"a": SECRET})},
        ]
    )
    return st.recursive(
        holder,
        lambda part: (
            st.builds(lambda inner: [filling, inner], part)
            | st.builds(lambda inner: {"body": inner, "other": filling}, part)
        ),
        max_leaves=6,
    )


@given(st.data(), names, harmless)
def test_a_secret_under_a_known_name_is_nowhere_in_the_result(
    data: st.DataObject, name: str, filling: object
) -> None:
    document = data.draw(around(name, filling))
    assert SECRET not in json.dumps(redact(document))


@given(harmless)
def test_data_without_known_names_stays_as_it_is(document: object) -> None:
    before = json.dumps(document)
    assert redact(document) == document
    assert json.dumps(document) == before


def test_the_document_given_is_not_changed() -> None:
    document = {"headers": {"authorization": SECRET}}
    redact(document)
    assert document == {"headers": {"authorization": SECRET}}


def test_a_short_secret_is_hidden_where_it_belongs_but_does_not_blank_other_text() -> None:
    document = {"authorization": "a", "text": "banana"}
    assert redact(document) == {"authorization": REDACTED, "text": "banana"}


@pytest.mark.parametrize("value", [SECRET, 17, None, {"deep": [SECRET]}])
def test_a_known_name_is_hidden_whatever_its_value(value: object) -> None:
    assert redact({"executionSecret": value}) == {"executionSecret": REDACTED}


def test_data_nested_deeper_than_python_recurses_does_not_break() -> None:
    document: object = {"executionSecret": SECRET}
    for _ in range(900):
        document = [document]
    assert SECRET not in str(redact(document))

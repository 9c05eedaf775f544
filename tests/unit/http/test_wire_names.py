"""Names and moments on the wire (api §1.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import load_all
from shared.http.declaration import REGISTRY
from shared.model.document import Document, camel, iso


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("name", "name"),
        ("execution_id", "executionId"),
        ("n8n_execution_id", "n8nExecutionId"),
        ("execution_time_ms", "executionTimeMs"),
        ("is_new_process", "isNewProcess"),
        ("a_b_c", "aBC"),
    ],
)
def test_field_names_become_camel_case(field: str, wire: str) -> None:
    assert camel(field) == wire


words = st.sampled_from(["id", "n8n", "a", "time", "ms", "x2"])


@given(st.lists(words, min_size=1, max_size=6).map("_".join))
def test_a_wire_name_has_the_same_letters_and_no_underscore(field: str) -> None:
    wire = camel(field)

    assert wire.lower() == field.replace("_", "")
    assert wire[0].islower()
    assert re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), wire) == field


zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=zones))
def test_a_moment_is_utc_with_milliseconds(moment: datetime) -> None:
    text = iso(moment)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    seconds = abs((datetime.fromisoformat(text) - moment.astimezone(UTC)).total_seconds())
    assert seconds < 0.001


def test_no_two_fields_of_a_model_share_a_wire_name() -> None:
    load_all()
    for endpoint in REGISTRY.all():
        for model in filter(None, (endpoint.request, endpoint.response)):
            if issubclass(model, Document):
                names = [field.alias for field in model.model_fields.values()]
                assert len(set(names)) == len(names), model

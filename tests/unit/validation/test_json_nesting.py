"""JSON that could be read but not written again is refused when it is read."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.validation.nesting import DEEPEST, TooDeep, loads


def nested(depth: int, opening: str = "[", closing: str = "]", inside: str = "") -> str:
    return opening * depth + inside + closing * depth


@given(st.integers(1, DEEPEST))
def test_what_is_nested_within_the_limit_is_read(depth: int) -> None:
    assert loads(nested(depth)) == orjson.loads(nested(depth))


@given(st.integers(DEEPEST + 1, 1000))
def test_what_is_nested_beyond_the_limit_is_refused(depth: int) -> None:
    for text in (nested(depth), nested(depth, '{"a":', "}", "1"), nested(depth).encode()):
        with pytest.raises(TooDeep, match="200 levels"):
            loads(text)


def test_many_brackets_side_by_side_or_in_text_are_not_deep() -> None:
    wide = {"lists": [[] for _ in range(5000)], "text": "[{" * 5000}

    assert loads(orjson.dumps(wide)) == wide


def test_what_is_no_json_is_said_to_be_none() -> None:
    for text in (nested(5000), "[" * 300, "", "nonsense"):
        with pytest.raises(orjson.JSONDecodeError):
            loads(text)

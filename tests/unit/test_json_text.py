"""JSON that holds half of a character is read and written, and everything else as orjson does it."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.json_text import dumps, loads, with_whole_escapes

UNITS = st.one_of(st.characters(), st.sampled_from(["\ud83d", "\ude00", "\udfff", "\\", "u", "d83d", '"']))
TEXTS = st.lists(UNITS).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
_WORDS = ["\\", "\\\\", "u", "\\u", "\\ud83d", "\\ude00", "\\uD83D", "d83d", "\\n", '"', '\\"', '"\\ud83d"']
PIECES = st.sampled_from([*_WORDS, "[", "]", ",", "1"])


def whole(value: object) -> object:
    """Return what JavaScript shows of a value: pairs joined, halves replaced."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {whole(name): whole(inner) for name, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


@given(VALUES)
@example("\ud83d")
@example({"\\ud83d": ["\\\ud83d", "\ude00\ud83d", "\ud83d\ude00"]})
def test_what_javascript_writes_is_read_with_its_halves_replaced(value: object) -> None:
    text = json.dumps(value)

    assert loads(text) == loads(text.encode()) == whole(value)


@given(st.lists(PIECES).map("".join))
def test_what_orjson_reads_is_read_alike_and_what_is_no_json_is_refused_where_it_is_wrong(text: str) -> None:
    try:
        expected = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            # Python's reader takes halves, and is the judge of what else is wrong with the text.
            expected = whole(json.loads(text))
        except ValueError:
            with pytest.raises(orjson.JSONDecodeError):
                loads(text)
            return
    assert loads(text) == expected


@given(st.lists(PIECES).map("".join))
def test_no_character_changes_its_place(text: str) -> None:
    assert len(with_whole_escapes(text)) == len(text)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    for raw in (b'"\xff"', b'["\\ud83d", "\xff"]', b'"\xed\xa0\xbd"'):
        with pytest.raises(orjson.JSONDecodeError):
            loads(raw)


@given(VALUES)
def test_what_is_written_has_whole_characters(value: object) -> None:
    assert orjson.loads(dumps(value)) == whole(value)


def test_what_cannot_be_written_for_another_reason_is_refused() -> None:
    for value in (object(), ["\ud83d", object()], 2**70):
        with pytest.raises(orjson.JSONEncodeError):
            dumps(value)
    assert dumps(["\ud83d", object], default=lambda _: "else") == '["\ufffd","else"]'.encode()

"""Forms with a file, however they are cut into pieces and whatever they hold (nodes §7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.http.multipart import Form

BOUNDARY = "----n8nBoundary1760000000000"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


async def _pieces(of: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in of:
        yield piece


def form_of(fields: dict[str, str], file_name: str, content: bytes, mime: str = "text/plain") -> bytes:
    """Build a body as the node does."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'Content-Disposition: form-data; name="file"; filename="{file_name}"\r\nContent-Type: {mime}\r\n\r\n'
    )
    return b"".join(parts) + f"--{BOUNDARY}\r\n{head}".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def read(body: Iterable[bytes], content_type: str = TYPE) -> tuple[dict[str, str], str, str, bytes]:
    async def reading() -> tuple[dict[str, str], str, str, bytes]:
        form = Form(content_type, _pieces(body))
        fields = await form.read_fields()
        content = b"".join([piece async for piece in form.read_file()])
        return fields, form.file_name, form.mime_type, content

    return asyncio.run(reading())


@given(
    st.binary(max_size=3000),
    st.integers(1, 400),
    st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=60),
)
def test_a_file_comes_out_as_it_went_in_however_the_body_is_cut(content: bytes, size: int, name: str) -> None:
    body = form_of({"executionId": "e", "fieldKey": "ü"}, name, content)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    assert read(pieces) == ({"executionId": "e", "fieldKey": "ü"}, name, "text/plain", content)


def test_a_file_name_may_hold_quotes_and_what_looks_like_a_name() -> None:
    name = 'a "quoted"; name="executionSecret".pdf'

    assert read([form_of({"executionId": "e"}, name, b"x")])[:2] == ({"executionId": "e"}, name)


@given(
    st.binary(max_size=600), st.integers(0, 700), st.sampled_from([TYPE, "multipart/form-data; boundary=x"])
)
def test_whatever_arrives_is_a_form_or_a_bad_request(junk: bytes, at: int, content_type: str) -> None:
    body = form_of({"executionId": "e"}, "f", b"content")
    for bytes_ in (junk, body[:at] + junk + body[at:], body[:at]):
        # Any other exception fails the test.
        with suppress(InvalidRequest):
            assert len(read([bytes_], content_type)) == 4


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "x" * 9999],
)
def test_what_is_no_form_is_a_bad_request(content_type: str) -> None:
    with pytest.raises(InvalidRequest, match="multipart"):
        read([b"{}"], content_type)


@pytest.mark.parametrize(
    "body",
    [
        form_of({"executionId": "x" * 9000}, "f", b""),
        form_of({f"f{n}": "x" for n in range(30)}, "f", b""),
        form_of({"executionId": "e"}, "x" * 9000, b""),
        form_of({"executionId": "e"}, "f", b"cut")[:-8],
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--{BOUNDARY}--\r\n'.encode(),
    ],
    ids=["long field", "many parts", "long header", "cut off", "no file"],
)
def test_a_form_that_is_too_much_or_not_whole_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read([body])

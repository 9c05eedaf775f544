"""The execution secret: what is minted is read back, and nothing else is (decision 0004)."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unauthorized
from shared.services.runs.secret import PURPOSE, Capability, mint, read
from shared.vault.boxed import Secret
from shared.vault.mac import MacKey

KEY = MacKey(PURPOSE, [Secret(b"k" * 32)])
ALPHABET = string.ascii_letters + string.digits + "-_"

instances = st.uuids().map(str)
runs = st.uuids().map(str)
versions = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))


def refused(execution_id: str, secret: str, key: MacKey = KEY) -> None:
    with pytest.raises(Unauthorized) as refusal:
        read(key, execution_id, secret)
    assert refusal.value.code == "INVALID_SECRET"
    assert execution_id not in refusal.value.message


@given(instances, runs, versions)
def test_a_secret_says_where_its_run_is_and_which_version_it_ends(
    instance: str, run: str, version: datetime
) -> None:
    secret = mint(KEY, instance, run, version)

    assert read(KEY, run, secret) == Capability(instance, version)
    assert len(secret) <= 128
    assert set(secret) <= set(ALPHABET)


@given(instances, runs, versions, st.data())
def test_a_secret_changed_in_any_place_is_refused(
    instance: str, run: str, version: datetime, data: st.DataObject
) -> None:
    secret = mint(KEY, instance, run, version)
    position = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.characters().filter(lambda character: character != secret[position]))

    refused(run, secret[:position] + other + secret[position + 1 :])


@given(instances, runs, versions, st.data())
def test_a_secret_with_something_added_or_missing_is_refused(
    instance: str, run: str, version: datetime, data: st.DataObject
) -> None:
    secret = mint(KEY, instance, run, version)
    position = data.draw(st.integers(0, len(secret)))
    added = data.draw(st.text(min_size=1, max_size=5))

    refused(run, secret[:position] + added + secret[position:])
    refused(run, secret[:position] + secret[position + 1 :] if position < len(secret) else secret[:-1])


@given(instances, runs, runs, versions)
def test_a_secret_opens_no_other_run(instance: str, run: str, other: str, version: datetime) -> None:
    if run != other:
        refused(other, mint(KEY, instance, run, version))


@given(instances, runs, versions)
def test_a_secret_of_another_key_or_purpose_is_refused(instance: str, run: str, version: datetime) -> None:
    secret = mint(KEY, instance, run, version)

    refused(run, secret, MacKey(PURPOSE, [Secret(b"x" * 32)]))
    refused(run, secret, MacKey("another purpose", [Secret(b"k" * 32)]))


@given(instances, runs, versions)
def test_a_rotated_key_still_reads_what_it_signed(instance: str, run: str, version: datetime) -> None:
    secret = mint(KEY, instance, run, version)
    rotated = MacKey(PURPOSE, [Secret(b"n" * 32), Secret(b"k" * 32)])

    assert read(rotated, run, secret) == Capability(instance, version)


@given(st.text(max_size=200), runs)
def test_any_other_text_is_refused(text: str, run: str) -> None:
    refused(run, text)


@given(st.binary(max_size=100), runs)
def test_any_other_bytes_in_the_form_of_a_secret_are_refused(content: bytes, run: str) -> None:
    refused(run, "es1_" + base64.urlsafe_b64encode(content).decode().rstrip("="))


def test_parts_cannot_be_moved_between_version_and_run() -> None:
    """The parts that are signed have fixed lengths, so that no two messages are the same bytes."""
    version = datetime(2026, 1, 1, tzinfo=UTC)
    secret = mint(KEY, str(UUID(int=1)), "abc", version)

    refused("bc", secret)
    refused("\x00abc", secret)
    assert read(KEY, "abc", secret).version - version == timedelta(0)

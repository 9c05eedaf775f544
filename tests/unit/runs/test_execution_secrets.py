"""The execution secret: what is minted is read back, and nothing else is (decision 0004)."""

from __future__ import annotations

import base64
import string
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
organizations = st.text(string.ascii_letters + string.digits, min_size=20, max_size=20)
opaque = st.text(min_size=1, max_size=60)


def refused(execution_id: str, secret: str, key: MacKey = KEY) -> None:
    with pytest.raises(Unauthorized) as refusal:
        read(key, execution_id, secret)
    assert refusal.value.code == "INVALID_SECRET"
    assert execution_id not in refusal.value.message


@given(organizations, instances, runs)
def test_a_secret_says_where_its_run_is_and_whose(organization: str, instance: str, run: str) -> None:
    secret = mint(KEY, organization, instance, run)

    assert read(KEY, run, secret) == Capability(instance, organization)
    assert len(secret) <= 128
    assert set(secret) <= set(ALPHABET)


@given(organizations, instances, runs, st.data())
def test_a_secret_changed_in_any_place_is_refused(
    organization: str, instance: str, run: str, data: st.DataObject
) -> None:
    secret = mint(KEY, organization, instance, run)
    position = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.characters().filter(lambda character: character != secret[position]))

    refused(run, secret[:position] + other + secret[position + 1 :])


@given(organizations, instances, runs, st.data())
def test_a_secret_with_something_added_or_missing_is_refused(
    organization: str, instance: str, run: str, data: st.DataObject
) -> None:
    secret = mint(KEY, organization, instance, run)
    position = data.draw(st.integers(0, len(secret)))
    added = data.draw(st.text(min_size=1, max_size=5))

    refused(run, secret[:position] + added + secret[position:])
    refused(run, secret[:position] + secret[position + 1 :] if position < len(secret) else secret[:-1])


@given(organizations, instances, runs, runs)
def test_a_secret_opens_no_other_run(organization: str, instance: str, run: str, other: str) -> None:
    if run != other:
        refused(other, mint(KEY, organization, instance, run))


@given(organizations, instances, runs)
def test_a_secret_of_another_key_or_purpose_is_refused(organization: str, instance: str, run: str) -> None:
    secret = mint(KEY, organization, instance, run)

    refused(run, secret, MacKey(PURPOSE, [Secret(b"x" * 32)]))
    refused(run, secret, MacKey("another purpose", [Secret(b"k" * 32)]))


@given(organizations, instances, runs)
def test_a_rotated_key_still_reads_what_it_signed(organization: str, instance: str, run: str) -> None:
    secret = mint(KEY, organization, instance, run)
    rotated = MacKey(PURPOSE, [Secret(b"n" * 32), Secret(b"k" * 32)])

    assert read(rotated, run, secret) == Capability(instance, organization)


@given(st.text(max_size=200), runs)
def test_any_other_text_is_refused(text: str, run: str) -> None:
    refused(run, text)


@given(st.binary(max_size=200), runs, st.sampled_from(["es1_", "es2_"]))
def test_any_other_bytes_in_the_form_of_a_secret_are_refused(content: bytes, run: str, form: str) -> None:
    refused(run, form + base64.urlsafe_b64encode(content).decode().rstrip("="))


def test_parts_cannot_be_moved_between_organization_and_run() -> None:
    """The message says how long the organization's id is, so that no two messages are the same bytes."""
    secret = mint(KEY, "north", str(UUID(int=1)), "abc")

    refused("habc", secret)
    refused("bc", secret)
    refused("\x00abc", secret)
    assert read(KEY, "abc", secret).organization_id == "north"


@given(opaque, instances, runs)
def test_an_organization_id_of_any_form_is_said_whole_or_not_at_all(
    organization: str, instance: str, run: str
) -> None:
    secret = mint(KEY, organization, instance, run)

    assert len(secret) <= 128
    assert read(KEY, run, secret).organization_id in (organization, None)


@given(instances, runs, st.integers(0, 2**63))
def test_a_secret_from_before_secrets_named_organizations_still_opens_its_run(
    instance: str, run: str, version: int
) -> None:
    secret = former(instance, run, version)

    assert read(KEY, run, secret) == Capability(instance, None)
    refused(run, "es2_" + secret[4:])
    refused(run, "es3_" + secret[4:])
    refused(run[:-1], secret)


@given(organizations, instances, runs)
def test_a_secret_in_the_former_form_of_its_bytes_is_refused(
    organization: str, instance: str, run: str
) -> None:
    secret = mint(KEY, organization, instance, run)

    refused(run, "es1_" + secret[4:])
    refused("\0\2" + chr(len(organization)) + organization + run, secret)


def former(instance: str, run: str, version: int) -> str:
    """Return a secret as they were minted before (decision 0004)."""
    body = UUID(instance).bytes + version.to_bytes(8, "big")
    signed = body + KEY.sign(body + run.encode())
    return "es1_" + base64.urlsafe_b64encode(signed).decode().rstrip("=")

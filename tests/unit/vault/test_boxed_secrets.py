from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import cast

import orjson
import pytest
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from shared.vault.boxed import Capability, Secret
from shared.vault.context import Context
from shared.vault.errors import CannotOpen, DecryptionFailed, SecretsUnavailable
from shared.vault.keyring import KeyVersion
from shared.vault.vault import Vault
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client
from tests.unit.vault.memory_secrets import MemorySecretStore

CANARY = "sk-canary-5f1e"
PLACE = Context("org_1", "member", "usr_1", "openai", "OPENAI_API_KEY")


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    secret: Secret


@dataclass
class Record:
    secret: Secret


SHOWN: list[Callable[[Secret], str]] = [
    repr,
    str,
    ascii,
    lambda secret: f"{secret}",
    lambda secret: f"{secret:>40}",
    lambda secret: f"{secret!r:>40}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # the old operator is what is tested
    lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032  # so is the method
    lambda secret: repr([secret, {"key": secret}]),
    lambda secret: pprint.pformat({"key": secret}),
    lambda secret: repr(Record(secret)),
    lambda secret: repr(KeyVersion(1, secret)),
    lambda secret: repr(Holder(secret=secret)),
    lambda secret: repr(Holder(secret=secret).model_dump()),
    lambda secret: repr(getattr(secret, "__dict__", {})),
    lambda secret: repr([getattr(secret, name, None) for name in dir(secret)]),
    lambda secret: repr(Secret.__getstate__(secret)),
    lambda secret: json.dumps({"secret": secret}, default=str),
    lambda secret: orjson.dumps({"secret": secret}, default=str).decode(),
]


@pytest.mark.parametrize("show", SHOWN)
def test_no_way_of_showing_a_box_shows_its_content(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(CANARY))
    assert CANARY not in shown
    assert CANARY.encode().hex() not in shown


SERIALISERS: list[Callable[[Secret], object]] = [
    pickle.dumps,
    lambda secret: pickle.dumps(secret, protocol=0),
    json.dumps,
    orjson.dumps,
    copy.copy,
    copy.deepcopy,
    lambda secret: asdict(Record(secret)),
    lambda secret: Holder(secret=secret).model_dump_json(),
    lambda secret: Holder(secret=secret).model_dump(mode="json"),
]


@pytest.mark.parametrize("serialise", SERIALISERS)
def test_a_box_refuses_to_be_serialised_or_copied(serialise: Callable[[Secret], object]) -> None:
    with pytest.raises((TypeError, PydanticSerializationError)) as refusal:
        serialise(Secret(CANARY))
    assert CANARY not in str(refusal.value)


def test_boxes_with_the_same_content_are_not_equal() -> None:
    secret = Secret(CANARY)
    assert secret != Secret(CANARY)
    assert secret != cast(object, CANARY)
    assert len({secret, Secret(CANARY)}) == 2


def test_a_log_line_with_a_box_holds_no_secret() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("vault-canary")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("secret %s", Secret(CANARY), extra={"secret": Secret(CANARY)})
    assert "Secret(" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_a_capability_opens_the_box(may_reveal: Capability) -> None:
    assert Secret(CANARY).reveal(may_reveal) == CANARY
    assert Secret("zäh").reveal_bytes(may_reveal) == "zäh".encode()
    assert Secret(b"\xff").reveal_bytes(may_reveal) == b"\xff"


@pytest.mark.parametrize("key", [None, "please", Capability, object()])
def test_nothing_but_a_capability_opens_the_box(key: object) -> None:
    with pytest.raises(TypeError, match="Capability"):
        Secret(CANARY).reveal(cast(Capability, key))


def test_bytes_that_are_no_text_are_not_in_the_error(may_reveal: Capability) -> None:
    with pytest.raises(ValueError) as refusal:
        Secret(CANARY.encode() + b"\xff").reveal(may_reveal)
    assert CANARY not in everything(refusal.value)


def test_text_that_is_no_unicode_is_not_in_the_error() -> None:
    with pytest.raises(ValueError) as refusal:
        Secret(CANARY + "\ud800")
    assert CANARY not in everything(refusal.value)


def everything(error: BaseException) -> str:
    """The traceback as an error reporter sees it: chained errors and locals, without those of tests."""
    shown: list[str] = []
    pending: BaseException | None = error
    while pending is not None:
        report = traceback.TracebackException.from_exception(pending, capture_locals=True)
        frames = [frame for frame in report.stack if "/tests/" not in frame.filename]
        shown.extend(f"{frame.name} {frame.locals}" for frame in frames)
        shown.append(repr(pending))
        pending = pending.__context__
    return "\n".join(shown)


async def test_the_traceback_of_a_failed_seal_holds_no_plaintext(secrets: MemorySecretStore) -> None:
    secrets.down = True
    with pytest.raises(SecretsUnavailable) as refusal:
        await Vault(secrets).seal(CANARY, PLACE)
    assert "seal" in everything(refusal.value)
    assert CANARY not in everything(refusal.value)


async def test_the_traceback_of_a_failed_open_holds_no_key_material(
    vault: Vault,
) -> None:
    sealed = await vault.seal(CANARY, PLACE)
    with pytest.raises(CannotOpen) as refusal:
        await vault.open(sealed, Context("other", "member", "usr_1", "openai", "OPENAI_API_KEY"))
    shown = everything(refusal.value)
    assert "open" in shown
    assert CANARY not in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize("damage", ["not text", "altered"])
async def test_the_traceback_of_a_refused_envelope_holds_no_plaintext(vault: Vault, damage: str) -> None:
    plaintext = CANARY.encode() + (b"\xff" if damage == "not text" else b"")
    envelope = encrypt_like_a_client(await vault.public_key_pem(), plaintext)
    if damage == "altered":
        envelope["iv"] = "AAAAAAAAAAAAAAAA"
    with pytest.raises(DecryptionFailed) as refusal:
        await vault.open_transport(as_sent(envelope))
    assert CANARY not in everything(refusal.value)


async def test_an_error_about_a_value_that_nobody_encrypted_does_not_repeat_it(vault: Vault) -> None:
    with pytest.raises(DecryptionFailed) as refusal:
        await vault.open_transport(CANARY)
    assert CANARY not in repr(refusal.value)
    assert refusal.value.__context__ is None

"""The local mailbox: what is mailed to it is in its file, for its owner's eyes only."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import sys
from pathlib import Path

import aiosmtplib
import pytest

from infra.local.mail import mailbox as module
from infra.local.mail.mailbox import CaughtMail, Mailbox
from shared.mail.config import SmtpConfig
from shared.mail.mail import Mail
from shared.mail.smtp import SmtpMailer
from shared.sources import Sources
from tests.support.stack import ROOT


async def test_a_mail_to_the_catcher_is_in_the_mailbox_when_it_was_accepted(tmp_path: Path) -> None:
    file = tmp_path / "mail" / "mailbox.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.local.mail", "--mailbox", str(file)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))["port"]
    given = {"kind": "smtp", "host": "127.0.0.1", "port": port, "security": "none", "from": "p@podium.local"}
    mailer = SmtpMailer(SmtpConfig.model_validate(given), Sources())

    await asyncio.gather(
        *(mailer.send(Mail(f"N{n}@Example.com", "Code", f"Hi\n\n   00000{n}\n")) for n in range(5))
    )

    mailbox = Mailbox(file)
    assert [mailbox.newest_code(f"n{n}@example.com") for n in range(5)] == [f"00000{n}" for n in range(5)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    raw = b"From: x@y.z\r\nTo: n9@example.com\r\nSubject: =?utf-8?q?broken\r\n\r\n\xff\xfe not text"
    await aiosmtplib.send(raw, sender="x@y.z", recipients=["n9@example.com"], port=port, start_tls=False)
    assert next(mailbox.mails("n9@example.com")).code is None
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0


def test_the_newest_code_counts_and_a_half_written_line_does_not(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.jsonl")
    assert list(mailbox.mails()) == []
    for code in ("111111", "222222"):
        mailbox.add(CaughtMail("", "p", ["a@b.com"], "Code", f"Your code:\n\n  {code}\n"))
    with mailbox.path.open("a") as file:
        file.write('{"received_at": ""')

    assert mailbox.newest_code(" A@b.com ") == "222222"
    assert mailbox.newest_code("b@b.com") is None


def test_a_mailbox_does_not_grow_without_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 4_000)
    mailbox = Mailbox(tmp_path / "mailbox.jsonl")
    for number in range(200):
        mailbox.add(CaughtMail("", "p", ["a@b.com"], "Code", f"\n{number:06}\n"))
        assert mailbox.newest_code("a@b.com") == f"{number:06}"
        assert mailbox.path.stat().st_size < 4_200
    assert stat.S_IMODE(mailbox.path.stat().st_mode) == 0o600
